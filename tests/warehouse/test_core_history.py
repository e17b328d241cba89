"""Who and what was what, when: versions in any order of arrival, equal ones merged, unknown ids inferred."""

from __future__ import annotations

import random
from typing import Any

import duckdb
import pytest

from tests.warehouse.harness import build
from tests.warehouse.rows import CORE, Tables, in_one, item, order, records, visit

BEGINNING, FOREVER = "1900-01-01 00:00:00", "9999-12-31 00:00:00"
VERSIONS = [
    {"product_id": "p", "name": "P", "category": "old", "unit_cost": 5, "updated_at": "2024-01-01"},
    {"product_id": "p", "name": "P", "category": "old", "unit_cost": 5, "updated_at": "2024-02-01"},
    {"product_id": "p", "name": "P", "category": "new", "unit_cost": 7, "updated_at": "2024-03-01"},
    {"product_id": "p", "name": "P", "category": "old", "unit_cost": 5, "updated_at": "2024-04-01"},
    {"product_id": "undated", "name": "U"},
]


DATED = [order("feb", "2024-02-15"), order("mar", "2024-03-01 00:00:00"), order("may", "2024-05-01"),
         order("2010", "2010-01-01")]  # fmt: skip
SEEN_IN_FACTS: Tables = {
    "orders": [order("o", "2024-03-01", customer_id="walk-in", partner_id="someone")],
    "order_items": [item("o", product_id="thing")],
    "sessions": [visit("s", "2024-03-01", customer_id="looker")],
    "customers": [{"customer_id": "known", "created_at": "2024-01-01", "email": "a@b.c", "segment": "vip"}],
}
NORTH: Tables = {
    "orders": [order("o", "2024-03-01", customer_id="c")],
    "order_items": [item("o", unit_price=10)],
    "products": [{"product_id": "p", "name": "P", "unit_cost": 1}],
}
SOUTH: Tables = {
    "orders": [order("o", "2024-03-01", customer_id="c")],
    "order_items": [item("o", unit_price=20)],
    "products": [{"product_id": "p", "name": "P", "unit_cost": 2}],
    "refunds": [{"refund_id": "r", "refunded_at": "2024-03-02", "amount": 5, "order_id": "o"}],
}


def shuffled(seed: int) -> Tables:
    products = random.Random(seed).sample(VERSIONS, len(VERSIONS))
    return {"orders": DATED, "order_items": [item(row["order_id"]) for row in DATED], "products": products}


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    stores = {"0": shuffled(0), "1": shuffled(1), "facts": SEEN_IN_FACTS, "north": NORTH, "south": SOUTH}
    return build(in_one(stores), select=CORE)


def versions(
    con: duckdb.DuckDBPyConnection, table: str, id_column: str, attribute: str, store: str
) -> list[tuple[Any, ...]]:
    return con.execute(
        f"select {id_column}, {attribute}, valid_from_at::text, valid_to_at::text, is_current from core.{table}"
        f" where store_id = '{store}' order by 1, 3"
    ).fetchall()


@pytest.mark.parametrize("seed", [0, 1])
def test_versions_in_any_order(seed: int, con: duckdb.DuckDBPyConnection) -> None:
    assert shuffled(seed)["products"] != VERSIONS
    assert versions(con, "dim_products", "product_id", "category", str(seed)) == [
        ("p", "old", BEGINNING, "2024-03-01 00:00:00", False),
        ("p", "new", "2024-03-01 00:00:00", "2024-04-01 00:00:00", False),
        ("p", "old", "2024-04-01 00:00:00", FOREVER, True),
        ("undated", None, BEGINNING, FOREVER, True),
    ]
    found = con.execute(
        f"select order_id, category, goods_cost_amount from core.fct_order_lines where store_id = '{seed}'"
    ).fetchall()
    assert {(key, category, int(cost)) for key, category, cost in found} == {
        ("feb", "old", 5), ("mar", "new", 7), ("may", "old", 5), ("2010", "old", 5)
    }  # fmt: skip


def test_ids_seen_only_in_facts_are_inferred(con: duckdb.DuckDBPyConnection) -> None:
    def seen(table: str, columns: str) -> list[dict[str, Any]]:
        return records(con, f"select {columns} from core.{table} where store_id = 'facts' order by 1")

    assert seen("dim_customers", "customer_id, is_inferred, segment") == [
        {"customer_id": "known", "is_inferred": False, "segment": "vip"},
        {"customer_id": "looker", "is_inferred": True, "segment": None},
        {"customer_id": "walk-in", "is_inferred": True, "segment": None},
    ]
    assert seen("dim_products", "product_id, is_inferred, is_good") == [
        {"product_id": "thing", "is_inferred": True, "is_good": True}
    ]
    assert seen("dim_partners", "partner_name, is_inferred") == [{"partner_name": "someone", "is_inferred": True}]
    assert "a@b.c" not in str(records(con, "select * from core.dim_customers"))


def test_stores_are_kept_apart(con: duckdb.DuckDBPyConnection) -> None:
    assert con.execute(
        "select store_id, net_revenue_amount::int, goods_cost_amount::int, order_number from core.fct_orders"
        " where order_id = 'o' and store_id <> 'facts' order by 1"
    ).fetchall() == [("north", 10, 1, 1), ("south", 15, 2, 1)]
