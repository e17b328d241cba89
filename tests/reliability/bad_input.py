"""Feeds broken files to landing and checks, and holds what must be true of any input whatever."""

from __future__ import annotations

import csv
import gzip
import io
import random
import shutil
import signal
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from marginwise.errors import BuildFailed, MarginwiseError
from tests.reliability.mutations import MUTATIONS, TABLES, mutated
from tests.reliability.stores import run_here

CPU_SECONDS = 60.0  # a run's own work, however busy the machine
CLOCK_SECONDS = 600.0  # for waiting that works on nothing
_TEXT_OF_WHOLE_ROWS = {mutation.__name__ for mutation in TABLES} - {"shifted_rows", "renamed_column"}
_REQUIRED = {"orders.csv", "order_items.csv", "olist_orders_dataset.csv", "olist_order_items_dataset.csv"}


@dataclass(frozen=True)
class Source:
    """A store's settings and its files, plain CSV, by name."""

    name: str
    settings: str
    files: dict[str, bytes]


@dataclass
class Tally:
    """What became of the inputs, and every promise that was broken."""

    inputs: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    defects: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.inputs} inputs, {dict(self.ends)}, {len(self.defects)} defects"


def break_files(
    source: Source, folder: Path, inputs: int, *, seed: int, at_once: int = 4, stages: Iterable[str] = ("land", "check")
) -> Tally:
    """Break files of the source, some at once, each run from an empty warehouse or after the whole files had landed."""
    tally = Tally()
    landed = _written(source, folder / "landed")
    run_here(landed, "land")
    round_number = 0
    while tally.inputs < inputs:
        rng = random.Random(f"{source.name} {seed} {round_number}")
        round_number += 1
        # a required file that is refused ends the run: mostly others are broken, so that the checks are reached
        spare = sorted(source.files if rng.random() < 0.3 or len(source.files) < 5 else source.files.keys() - _REQUIRED)
        names = rng.sample(spare, min(at_once, len(spare)))
        broken = {name: (mutation, mutated(mutation, source.files[name], rng))
                  for name in names for mutation in [rng.choice(MUTATIONS)]}  # fmt: skip
        as_drop = rng.random() < 0.7  # a file that never landed stops the run, so the checks are reached less often
        store = folder / "store"
        shutil.rmtree(store, ignore_errors=True)
        shutil.copytree(landed, store)
        if not as_drop:
            shutil.rmtree(store / ".marginwise")
        for name, (_, data) in broken.items():
            (store / "data" / (_later(name) if as_drop else name)).write_bytes(data)
        what = f"{source.name}, seed {seed}, round {round_number - 1}: " + ", ".join(
            f"{mutation.__name__}({name})" for name, (mutation, _) in broken.items()
        )
        began = time.process_time()
        end, defects = _run(store, stages)
        if time.process_time() - began > CPU_SECONDS:
            defects.append(f"took {time.process_time() - began:.0f} CPU seconds")
        if end == "done":
            expected = {(_later(name) if as_drop else name): _records(data) for name, (mutation, data) in broken.items()
                        if mutation.__name__ in _TEXT_OF_WHOLE_ROWS}  # fmt: skip
            defects += list(_lost_rows(source, store, expected))
        tally.inputs += len(broken)
        tally.ends[end] += 1
        tally.defects += [f"{what}: {defect}" for defect in defects]
    return tally


def _written(source: Source, store: Path) -> Path:
    (store / "data").mkdir(parents=True)
    (store / "marginwise.toml").write_text(source.settings, encoding="utf-8")
    for name, data in source.files.items():
        (store / "data" / name).write_bytes(data)
    return store


def _later(name: str) -> str:
    stem, _, rest = name.partition(".")
    return f"{stem}-2031-02-03.{rest}"


class Hung(BaseException):
    """A run that came to no end; no handler of the product's takes it for an error of its own."""


@contextmanager
def _ended_after(seconds: float) -> Iterator[None]:
    def give_up(*_: object) -> None:
        raise Hung

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _run(store: Path, stages: Iterable[str]) -> tuple[str, list[str]]:
    try:
        with _ended_after(CLOCK_SECONDS):
            run_here(store, *stages)
    except Hung:
        return "hang", [f"no end after {CLOCK_SECONDS:.0f} seconds\n{traceback.format_exc()[-3000:]}"]
    except BuildFailed as error:  # no data may break a model
        return "BuildFailed", [str(error)[:1500]]
    except MarginwiseError as error:
        told = [] if error.fix or error.accepted or error.nearest else [f"says not what to do: {error}"]
        return type(error).__name__, told
    except Exception:
        return "traceback", [traceback.format_exc()[-3000:]]
    return "done", []


def _records(data: bytes) -> int:
    csv.field_size_limit(10**8)
    return (
        sum(1 for record in csv.reader(io.StringIO(data.decode("utf-8"), newline="")) if any(record) or len(record) > 1)
        - 1
    )


def _lost_rows(source: Source, store: Path, expected: dict[str, int]) -> Iterable[str]:
    con = duckdb.connect(str(store / ".marginwise" / "warehouse.duckdb"), read_only=True)
    try:
        for table, came, loaded, quarantined in con.execute(
            "select table_name, rows_in, rows_loaded, rows_quarantined from ops.table_grades"
            " where rows_in <> rows_loaded + rows_quarantined"
        ).fetchall():
            yield f"{table}: {came} rows in, {loaded} loaded, {quarantined} quarantined"
        for name, told in con.execute(
            "select file_name, row_count + unreadable_count from ops.files where is_active"
        ).fetchall():
            if name in expected and told != expected[name]:
                yield f"{name}: {expected[name]} rows in the file, {told} in the ledger"
        if source.name != "demo":
            return  # a mapping that keeps one row per key, or feeds several tables of one file: the sums differ
        for table, raw_table, rows_in, of_files in con.execute(
            "select table_name, raw_table, any_value(rows_in), sum(row_count + unreadable_count)"
            " from ops.table_grades join ops.table_feeds using (table_name) join ops.files using (raw_table)"
            " where is_active group by all having any_value(rows_in) <> sum(row_count + unreadable_count)"
        ).fetchall():
            yield f"{table}: {of_files} rows in the files of {raw_table}, {rows_in} in the checks"
        for (count,) in con.execute(
            "select count(*) from quarantine.quarantined_rows where coalesce(rule, '') = '' having count(*) > 0"
        ).fetchall():
            yield f"{count} rows in quarantine for no reason"
    finally:
        con.close()


def first_rows(path: Path, rows: int) -> bytes:
    """Return the beginning of a gzipped CSV file, whole records, plain."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        table = [record for record, _ in zip(csv.reader(file), range(rows + 1), strict=False)]
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\n").writerows(table)
    return written.getvalue().encode()
