"""The main job on the demo store, through the command line."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import duckdb
import pytest

from tests.end_to_end.conftest import DemoStore
from tests.shell import BIN, called, marginwise


def test_the_table_agrees_with_the_planted_truth_where_it_is_clear(demo_store: DemoStore) -> None:
    truth = json.loads((demo_store.folder / "data" / "truth.json").read_text(encoding="utf-8"))
    given = {(row["unit_kind"], row["unit_name"]): row["verdict"] for row in demo_store.verdicts}
    clear = [unit for unit in truth["units"] if unit["is_margin_clear"] and unit["is_repeat_clear"]]
    assert len(clear) >= 8
    wrong = {
        unit["unit_name"]: (unit["verdict"], given[unit["unit_kind"], unit["unit_name"]])
        for unit in clear
        if unit["verdict"] != given[unit["unit_kind"], unit["unit_name"]]
    }
    assert not wrong, f"planted and given verdicts differ: {wrong}"


def test_the_observed_margin_equals_the_realised_one_to_the_cent(demo_store: DemoStore) -> None:
    truth = json.loads((demo_store.folder / "data" / "truth.json").read_text(encoding="utf-8"))
    realised = {
        unit["unit_name"]: unit["realised_margin_amount"]
        for unit in truth["units"]
        if unit["unit_kind"] == "channel" and unit["realised_margin_amount"] is not None
    }
    given = {row["unit_name"]: row["margin_amount"] for row in demo_store.verdicts if row["unit_kind"] == "channel"}
    assert len(realised) >= 8
    for name, amount in realised.items():
        assert given[name] == pytest.approx(amount, abs=0.01), name


def test_every_interval_holds_its_own_estimate_in_sight(demo_store: DemoStore) -> None:
    """Found wrong once: the intervals of profitable paid channels lay far above their own margins."""
    for row in demo_store.verdicts:
        if row["margin_low_amount"] is None:
            continue
        width = row["margin_high_amount"] - row["margin_low_amount"]
        assert row["margin_low_amount"] - width <= row["margin_amount"] <= row["margin_high_amount"] + width, row[
            "unit_name"
        ]


def test_the_memo_is_written_and_the_path_is_printed(demo_store: DemoStore) -> None:
    assert "memo.html" in demo_store.printed
    html = (demo_store.folder / "memo" / "memo.html").read_text(encoding="utf-8")
    assert "Paid Search" in html
    assert "@example" not in html


def test_rows_in_equal_rows_loaded_and_quarantined(demo_store: DemoStore) -> None:
    told = called("check", "--json", "-p", demo_store.folder, cwd=demo_store.folder).json
    present = [table for table in told["tables"] if table["rows_in"]]
    assert len(present) == 18
    for table in present:
        assert table["rows_in"] == table["rows_loaded"] + table["rows_quarantined"], table
    truth = json.loads((demo_store.folder / "data" / "truth.json").read_text(encoding="utf-8"))
    assert sum(table["rows_quarantined"] for table in present) == sum(item["rows"] for item in truth["dirt"]) > 0


def test_personal_data_stay_out_of_what_readers_get(demo_store: DemoStore) -> None:
    published = duckdb.connect(str(demo_store.folder / ".marginwise" / "published" / "store.duckdb"), read_only=True)
    columns = {row[0] for row in published.execute("select column_name from information_schema.columns").fetchall()}
    assert not columns & {"email", "phone", "birth_date"}
    memo = (demo_store.folder / "memo" / "memo.md").read_text(encoding="utf-8")
    assert not re.search(r"[\w.]+@[\w.]+", memo)


def test_what_is_published_is_for_other_tools_too_and_the_warehouse_for_this_one(demo_store: DemoStore) -> None:
    formats = "select tags['storage_version'] from duckdb_databases() where not internal"
    for name, told in (("published/store.duckdb", "v1.0.0+"), ("warehouse.duckdb", "v1.5.0+")):
        with duckdb.connect(demo_store.folder / ".marginwise" / name, read_only=True) as con:
            assert con.execute(formats).fetchall() == [(told,)]


def test_the_readme_shows_the_table_as_printed(demo_store: DemoStore) -> None:
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
    shown = re.search(r"```text\n(.*?)```", readme, re.DOTALL)
    assert shown
    printed = "\n".join(line.rstrip() for line in demo_store.printed.splitlines())
    assert "\n".join(line.rstrip() for line in shown.group(1).strip("\n").splitlines()) in printed


def test_help_is_quick_enough_to_be_read() -> None:
    """Imports that are not needed for help stay out of it: the promise is 0.3 s, the test holds what makes it so."""
    code = "import sys, marginwise.cli.commands; print(sorted(set(sys.modules) & {'duckdb', 'dbt', 'pyarrow', 'numpy', 'scipy', 'pydantic'}))"
    done = subprocess.run([str(BIN / "python"), "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_wrong_words_end_with_the_right_code_and_the_nearest_match(tmp_path: Path) -> None:
    missing = marginwise("run", "-p", tmp_path, cwd=tmp_path)
    assert missing.code == 3
    assert "marginwise init" in missing.err
    (tmp_path / "marginwise.toml").write_text("[store]\ncurency = 'EUR'\n", encoding="utf-8")
    wrong = called("run", "--json", "-p", tmp_path, cwd=tmp_path)
    assert wrong.code == 2
    assert wrong.json["nearest"] == "currency"
    (tmp_path / "marginwise.toml").write_text("[store]\ncurrency = 'EUR'\n", encoding="utf-8")
    assert called("run", "biuld", "-p", tmp_path, cwd=tmp_path).code == 2
    assert called("query", "select 1", "-p", tmp_path, cwd=tmp_path).code == 5


def test_json_logs_are_lines_of_json_without_personal_data(demo_store: DemoStore) -> None:
    told = marginwise("--log-format", "json", "run", "decide", "--json", "-p", demo_store.folder, cwd=demo_store.folder)
    assert told.code == 0, told.err
    lines = [json.loads(line) for line in told.err.splitlines() if line.startswith("{")]
    assert any(line.get("stage") == "decide" for line in lines)
    assert "@" not in told.err


def test_one_run_at_a_time(demo_store: DemoStore) -> None:
    from filelock import FileLock

    with FileLock(demo_store.folder / ".marginwise" / "run.lock"):
        busy = marginwise("run", "-p", demo_store.folder, cwd=demo_store.folder)
        assert busy.code == 6
