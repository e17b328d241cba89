from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest

from marginwise.contract.loader import contracts
from marginwise.demo.store import generate_store

if TYPE_CHECKING:
    from pathlib import Path

FOUND = {
    ("orders", "bad date"): "try_cast(ordered_at as timestamp) is null",
    ("orders", "impossible date"): "ordered_at::varchar < '1990'",
    ("orders", "unknown status"): "status not in ('pending', 'paid', 'shipped', 'delivered', 'cancelled', 'void')",
    ("orders", "currency that is none"): "not regexp_full_match(currency, '[A-Z]{3}')",
    ("order_items", "negative quantity"): "quantity::double < 0",
    ("order_items", "orphan line"): "order_id not in (select order_id from orders)",
    ("refunds", "amount that is none"): "try_cast(amount as double) is null",
    ("refunds", "orphan refund"): "order_id not in (select order_id from orders)",
    ("customers", "no date of creation"): "created_at is null",
    ("marketing_spend", "bad date"): "try_cast(spend_date as date) is null",
    ("sessions", "no start"): "started_at is null",
}
KEYS = {"order_items": "order_id, line_number", "payments": "order_id, payment_number"}


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_planted_dirt_is_in_the_files_and_nothing_else(tmp_path: Path, form: str) -> None:
    truth = generate_store(tmp_path, orders=1500, format=form, sessions_per_order=3.0, dirt_rate=0.004)
    con = duckdb.connect()
    for name in contracts():
        read = "read_csv('{}', all_varchar = true, null_padding = false)" if form == "csv" else "'{}'"
        con.execute(f"create view {name} as select * from {read.format(tmp_path / f'{name}.{form}')}")
        assert con.execute(f"select count(*) from {name}").fetchone() == (truth.rows[name],)
    assert {dirt.kind for dirt in truth.dirt if dirt.kind == "bad date"} == ({"bad date"} if form == "csv" else set())
    for dirt in truth.dirt:
        if dirt.rule == "key":
            query = f"select count(*) - count(distinct ({KEYS[dirt.table]})) from {dirt.table}"
        else:
            query = f"select count(*) from {dirt.table} where {FOUND[dirt.table, dirt.kind]}"
        assert con.execute(query).fetchone() == (dirt.rows,), dirt
        assert dirt.rows >= 1
    bad = sum(dirt.rows for dirt in truth.dirt)
    assert bad < 0.005 * sum(truth.rows.values())


def test_dirt_leaves_the_truth_alone(tmp_path: Path) -> None:
    dirty = generate_store(tmp_path / "dirty", orders=500)
    clean = generate_store(tmp_path / "clean", orders=500, dirt_rate=0.0)
    assert dirty.units == clean.units
    assert dirty.totals == clean.totals
    assert clean.dirt == ()
    added = {name: dirty.rows[name] - clean.rows[name] for name in clean.rows}
    planted = {name: sum(dirt.rows for dirt in dirty.dirt if dirt.table == name) for name in clean.rows}
    assert added == planted


@pytest.mark.parametrize("rate", [0.002, 0.02])
def test_dirt_comes_at_the_asked_rate(rate: float, tmp_path: Path) -> None:
    truth = generate_store(tmp_path, orders=3000, sessions_per_order=3.0, dirt_rate=rate)
    for name in {dirt.table for dirt in truth.dirt}:
        bad = sum(dirt.rows for dirt in truth.dirt if dirt.table == name)
        kinds = sum(dirt.table == name for dirt in truth.dirt)
        assert bad == pytest.approx(rate * (truth.rows[name] - bad), abs=kinds), name
