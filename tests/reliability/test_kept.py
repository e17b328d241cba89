"""What is touched is made anew, all else stays: the end is that of a build of all files, without building all."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb

from marginwise.ops.pipeline import run
from marginwise.settings import load_settings
from tests.reliability.stores import arrive, built, differing, run_here, small_store, waiting_days

SCHEMAS = ("core", "marts", "quarantine", "checks")


def facts_of(store: Path, *stages: str) -> dict[str, dict[str, object]]:
    return {stage.stage: stage.facts for stage in run(load_settings(store), stages).stages}


def changed_rows(store: Path) -> int:
    with duckdb.connect(str(store / ".marginwise" / "warehouse.duckdb"), read_only=True) as con:
        tables = con.execute(
            "select table_name from information_schema.tables where table_schema = 'changed'"
        ).fetchall()
        return sum(con.execute(f'select count(*) from changed."{name}"').fetchall()[0][0] for (name,) in tables)


def test_days_that_come_one_by_one_end_as_a_build_of_all(tmp_path: Path) -> None:
    store = small_store(tmp_path / "store", drops=3)
    first = facts_of(store, "land", "check", "build")
    assert all("not been built before" in str(first[stage]["made_anew_because"]) for stage in ("check", "build"))
    one, two, three = waiting_days(store)
    arrive(store, *one)
    run_here(store, "land", "check")  # nothing is built of it yet: the next build has two days to take in
    arrive(store, *two)
    second = facts_of(store, "land", "check", "build")
    assert [second[stage]["made_anew_because"] for stage in ("check", "build")] == [None, None]
    assert changed_rows(store) == 0
    arrive(store, *three)
    assert facts_of(store, "land", "check")["check"]["made_anew_because"] is None
    assert changed_rows(store) > 0
    run_here(store, "build")
    whole = tmp_path / "whole"
    shutil.copytree(store, whole, ignore=shutil.ignore_patterns(".marginwise"))
    run_here(whole, "land", "check", "build")
    assert not differing(built(store, *SCHEMAS), built(whole, *SCHEMAS))
    anew = run(load_settings(store), ("check", "build"), anew=True)
    assert {stage.facts["made_anew_because"] for stage in anew.stages} == {"it was asked for"}
    assert not differing(built(store, *SCHEMAS), built(whole, *SCHEMAS))
    settings = (store / "marginwise.toml").read_text(encoding="utf-8")
    (store / "marginwise.toml").write_text(
        settings.replace("[decisions]", "[decisions]\nhorizon_days = 60", 1), encoding="utf-8"
    )
    again = facts_of(store, "check", "build")
    assert "settings" in str(again["check"]["made_anew_because"])
