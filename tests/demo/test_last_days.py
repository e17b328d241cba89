"""A store whose last days are held back for a measurement is the whole store when they have arrived, with orders corrected."""

from __future__ import annotations

from pathlib import Path

import duckdb
from benchmarks.day import LastDays

from marginwise.demo.knobs import Knobs
from marginwise.ops.projects import create_demo


def rows(folder: Path, table: str) -> list[str]:
    """Return the rows of a table's files as text, in order, without what a correction changes."""
    files = [str(file) for file in folder.glob("*.parquet") if file.stem == table or file.stem.startswith(f"{table}-")]
    query = "select columns(lambda c: c not in ('updated_at', 'shipping_cost_amount')) from read_parquet(?)"
    with duckdb.connect() as con:
        return sorted(map(str, con.execute(query, [files]).fetchall()))


def test_a_store_is_whole_when_its_last_days_have_arrived(tmp_path: Path) -> None:
    create_demo(tmp_path / "whole", Knobs(orders=300, visits_per_order=2.0, dirt_rate=0.0, format="parquet"))
    store = LastDays(tmp_path / "store", orders=300, days=2)
    whole, arrived = tmp_path / "whole" / "data", store.directory / "data"
    assert store.rows("events") == len(rows(arrived, "events")) < len(rows(whole, "events"))
    for _ in range(2):
        store.arrive()
    assert not list(store.waiting.iterdir())
    for file in whole.glob("*.parquet"):
        found = rows(arrived, file.stem)
        assert len(found) - len(rows(whole, file.stem)) == (2 if file.stem == "orders" else 0)  # one corrected each day
        assert set(found) == set(rows(whole, file.stem))
