from __future__ import annotations

from typing import Any

import duckdb
import pytest

from marginwise.contract.loader import contracts
from marginwise.engine.day_contents import day_contents

TYPES = {"text": "varchar", "integer": "bigint", "decimal": "decimal(18, 4)", "timestamp": "timestamp", "date": "date",
         "boolean": "boolean"}  # fmt: skip
Contents = dict[tuple[str, str | None, int], tuple[Any, ...]]


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    """Return a staging schema with two orders, as the check stage leaves it."""
    con = duckdb.connect()
    con.execute("create schema staging")
    for name, contract in contracts().items():
        columns = ", ".join(f'"{column.name}" {TYPES[column.type]}' for column in contract.columns)
        con.execute(f"create table staging.stg_{name} ({columns}, _file_hash varchar)")
    con.execute(
        "insert into staging.stg_orders (store_id, order_id, ordered_at, status, _file_hash) values"
        " ('main', '1', '2025-03-04 23:30:00', 'paid', 'a'), ('main', '2', '2025-03-05 10:00:00', 'paid', 'a')"
    )
    con.execute(
        "insert into staging.stg_order_items (store_id, order_id, line_number, quantity, unit_price, unit_cost)"
        " values ('main', '1', 1, 2, 9.9, 4), ('main', '9', 1, 1, 1, 1)"
    )
    con.execute("insert into staging.stg_products (store_id, product_id, name) values ('main', 'p', 'Tea')")
    return con


def contents(con: duckdb.DuckDBPyConnection, time_zone: str = "UTC") -> Contents:
    return {
        (row["table_name"], row["day_date"] and str(row["day_date"]), row["part"]): tuple(row.values())[3:]
        for row in day_contents(con, time_zone).to_pylist()
    }


def changed(before: Contents, after: Contents) -> set[tuple[str, str | None]]:
    return {key[:2] for key in {*before, *after} if before.get(key) != after.get(key)}


def test_rows_lie_on_the_day_of_their_order_in_the_zone_of_the_store(con: duckdb.DuckDBPyConnection) -> None:
    assert {key[:2] for key in contents(con)} == {
        ("orders", "2025-03-04"), ("orders", "2025-03-05"), ("order_items", "2025-03-04"), ("order_items", None),
        ("products", None),
    }  # fmt: skip
    assert {key[1] for key in contents(con, "Europe/Berlin") if key[0] == "orders"} == {"2025-03-05"}


@pytest.mark.parametrize(
    ("statement", "touched"),
    [
        ("update staging.stg_orders set status = 'cancelled' where order_id = '2'", {("orders", "2025-03-05")}),
        ("update staging.stg_order_items set quantity = 3 where order_id = '1'", {("order_items", "2025-03-04")}),
        ("update staging.stg_products set category = 'Green'", {("products", None)}),
        ("update staging.stg_orders set _file_hash = 'b', updated_at = '2025-06-01'", set()),
        ("update staging.stg_orders set ordered_at = ordered_at", set()),
    ],
)
def test_only_the_days_whose_rows_changed_differ(
    con: duckdb.DuckDBPyConnection, statement: str, touched: set[tuple[str, str | None]]
) -> None:
    before = contents(con)
    con.execute(statement)
    assert changed(before, contents(con)) == touched


def test_costs_are_hashed_apart_and_personal_data_not_at_all(con: duckdb.DuckDBPyConnection) -> None:
    before = contents(con)
    con.execute("update staging.stg_order_items set unit_cost = 5 where order_id = '1'")
    key = next(key for key in before if key[:2] == ("order_items", "2025-03-04"))
    after = contents(con)
    assert before[key][:-1] == after[key][:-1]
    assert before[key][-1] != after[key][-1]
    con.execute("insert into staging.stg_customers (store_id, customer_id, email) values ('main', 'c', 'a@b.example')")
    with_customer = contents(con)
    con.execute("update staging.stg_customers set email = 'other@b.example'")
    assert contents(con) == with_customer


def test_every_column_named_as_a_cost_is_in_the_contract() -> None:
    from marginwise.engine import day_contents as module

    for table, columns in module._COSTS.items():
        assert columns <= {column.name for column in contracts()[table].columns}
    assert set(module._LEFT_OUT) <= set(contracts())
