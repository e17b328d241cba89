"""A full disk, a locked or damaged file, a folder in the way: told in words that help, and gone with its cause."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from marginwise.engine.duckdb import open_warehouse
from marginwise.errors import (
    BadSettings,
    BrokenStore,
    MarginwiseError,
    MissingFile,
    NotWritable,
    OutOfMemory,
    StoreBusy,
)
from marginwise.ops.forgetting import forget
from marginwise.ops.run_lock import held_alone
from marginwise.settings import load_settings
from tests.reliability.stores import built, differing, run_here, small_store

pytestmark = pytest.mark.xdist_group("hindrances")
ROOT = Path(__file__).parents[2]
LIMITED = """
import resource, sys
from marginwise.cli.commands import main
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)),) * 2)
main()
"""


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = small_store(tmp_path_factory.mktemp("hindered") / "store", orders=50)
    run_here(store, "land")
    return store


@pytest.fixture
def store(landed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(landed, tmp_path / "store"))


def _warehouse(store: Path) -> Path:
    return store / ".marginwise" / "warehouse.duckdb"


@pytest.mark.parametrize(
    "room", [pytest.param(0, marks=pytest.mark.soak), 20_000, pytest.param(2_000_000, marks=pytest.mark.soak)]
)
def test_a_full_disk_says_so_and_nothing_half_written_counts(room: int, landed: Path, store: Path) -> None:
    """Found wrong once: "Unexpected TransactionException … This is a defect of Marginwise"."""
    _warehouse(store).unlink()
    ran = subprocess.run([sys.executable, "-c", LIMITED, str(room), "run", "land", "-p", str(store)],
                         cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)  # fmt: skip
    assert ran.returncode == 6, ran.stderr
    assert "DiskFull: There is no room to write" in ran.stderr
    assert "Traceback" not in ran.stderr
    run_here(store, "land")
    assert not differing(built(store, "raw", "landed"), built(landed, "raw", "landed"))


def test_a_locked_warehouse_names_the_process_that_holds_it(store: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print(1, flush=True); input()",
         str(_warehouse(store))], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert holder.stdout is not None
    holder.stdout.readline()
    with pytest.raises(StoreBusy, match=rf"Process {holder.pid} .* holds warehouse\.duckdb"):
        run_here(store, "land")
    holder.communicate(b"\n")
    run_here(store, "land")


def test_of_two_runs_one_is_refused_and_told_who_is_at_work(store: Path) -> None:
    with held_alone(store / ".marginwise"):
        for _ in range(2):  # trying empties the lock's own file
            with pytest.raises(StoreBusy, match=rf"at work: process {os.getpid()} on ") as refused:
                run_here(store, "land")
        with pytest.raises(StoreBusy, match="at work"):
            forget(load_settings(store), ["orders.csv"])
    assert refused.value.exit_code == 6
    run_here(store, "land")


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:5000],
        lambda data: data[: len(data) // 2],
        lambda data: data[:8] + bytes(range(256)) * 15 + data[8 + 3840 :],
        lambda data: data[:12288] + b"\xa5" * (len(data) - 12288),
        lambda data: b"no database" * 1000,
    ],
)  # fmt: skip
def test_a_damaged_warehouse_is_told(damage: object, store: Path) -> None:
    """Found wrong once: what the engine raised in the middle of a stage was told as a defect of Marginwise."""
    file = _warehouse(store)
    size = file.write_bytes(damage(file.read_bytes()))  # type: ignore[operator]
    with pytest.raises(
        BrokenStore, match=r"Move warehouse\.duckdb and, where there is one, warehouse\.duckdb\.wal away"
    ):
        run_here(store, "land")
    assert file.stat().st_size == size  # left for who wants to look at it


def test_a_warehouse_moved_away_is_built_anew(landed: Path, store: Path) -> None:
    _warehouse(store).rename(store / "damaged")
    run_here(store, "land")
    assert not differing(built(store, "raw", "landed"), built(landed, "raw", "landed"))


def test_a_warehouse_that_an_older_version_landed_is_checked_without_landing_again(store: Path) -> None:
    with open_warehouse(_warehouse(store)) as con:
        con.execute("alter table ops.landed_tables drop column told_since")
        con.execute("drop table ops.landed_places")
        con.execute("drop view ops.landed_rows")
    run_here(store, "check")


def test_a_journal_of_another_file_is_told_or_left_aside(landed: Path, store: Path) -> None:
    wal = _warehouse(store).with_name("warehouse.duckdb.wal")
    wal.write_bytes(b"\x01\x02\x03\x04" * 2000)
    with suppress(BrokenStore):
        run_here(store, "land")
    wal.unlink(missing_ok=True)
    run_here(store, "land")
    assert not differing(built(store, "raw", "landed"), built(landed, "raw", "landed"))


def test_a_file_where_the_state_folder_belongs_is_told(store: Path) -> None:
    shutil.rmtree(store / ".marginwise")
    (store / ".marginwise").write_text("in the way")
    with pytest.raises(NotWritable, match=r"\.marginwise cannot be written") as told:
        run_here(store, "land")
    assert told.value.exit_code == 6
    (store / ".marginwise").unlink()
    run_here(store, "land")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_told(store: Path) -> None:
    shutil.rmtree(store / ".marginwise")
    store.chmod(0o555)
    try:
        with pytest.raises(NotWritable, match="the right to write"):
            run_here(store, "land")
    finally:
        store.chmod(0o755)
    run_here(store, "land")


def test_a_missing_data_folder_is_told_and_costs_nothing(landed: Path, store: Path) -> None:
    (store / "data").rename(store / "date")
    with pytest.raises(MissingFile, match="Did you mean 'date'"):
        run_here(store, "land")
    (store / "date").rename(store / "data")
    run_here(store, "land")
    assert not differing(built(store, "raw", "landed"), built(landed, "raw", "landed"))


def test_settings_cut_anywhere_are_told_or_still_settings(store: Path) -> None:
    file = store / "marginwise.toml"
    whole = file.read_bytes()
    told: list[BadSettings] = []
    for end in range(0, len(whole), 13):
        file.write_bytes(whole[:end])
        try:
            load_settings(store)
        except BadSettings as error:
            told.append(error)
    assert len(told) > 10
    assert all(error.fix or error.accepted for error in told)
    file.write_bytes(b"")
    with pytest.raises(BadSettings, match="names no source"):
        run_here(store, "land")


def test_reading_commands_tell_a_damaged_warehouse_too(store: Path) -> None:
    _warehouse(store).write_bytes(_warehouse(store).read_bytes()[:100_000])
    with pytest.raises(MarginwiseError, match=r"warehouse\.duckdb"):
        open_warehouse(_warehouse(store), read_only=True)


def test_too_little_memory_names_the_setting(store: Path) -> None:
    path = store / "marginwise.toml"
    settings = path.read_text(encoding="utf-8")
    assert '# memory_limit = "3.5GB"' in settings
    path.write_text(settings.replace('# memory_limit = "3.5GB"', 'memory_limit = "6MB"'), encoding="utf-8")
    with pytest.raises(OutOfMemory) as caught:
        run_here(store, "check")
    assert "memory_limit" in str(caught.value.fix)
