"""Traps: a repeat rate that moves when data are appended, immature customers, first orders at the start of the data."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import duckdb
import pytest

from tests.warehouse.harness import build
from tests.warehouse.rows import CORE, Tables, in_one, item, order, records

REPEAT = """
    select count(*) as customers, count(*) filter (where exists (
        select 1 from core.fct_orders as later
        where later.customer_key = acquired.customer_key and later.order_number > 1
            and later.order_date <= acquired.first_order_date + 90)) as repeaters
    from intermediate.int_customers_acquired as acquired
    where store_id = '{store}' and is_mature and not is_left_censored and first_order_date between '2024-05-01' and '2024-06-30'
"""


def store(days: int, seed: int = 3) -> Tables:
    chance = random.Random(seed)
    orders = []
    for number in range(400):
        day = chance.randrange(0, 500)
        orders.append((day, f"o{number}", f"c{chance.randrange(150)}"))
    kept = [(day, name, customer) for day, name, customer in orders if day <= days]
    first = dt.date(2024, 1, 1)
    return {
        "orders": [order(name, str(first + dt.timedelta(day)), customer_id=customer) for day, name, customer in kept],
        "order_items": [item(name) for _, name, _ in kept],
    }


FIRST_ORDERS = [order("first", "2024-01-01", customer_id="old"), order("new", "2024-04-01", customer_id="new"),
                order("edge", "2024-03-31", customer_id="edge"), order("last seen", "2024-03-30", customer_id="censored"),
                order("mature", "2024-10-02", customer_id="mature"), order("young", "2024-10-03", customer_id="young"),
                order("end", "2025-01-01", customer_id="end")]  # fmt: skip


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    first_orders = {"orders": FIRST_ORDERS, "order_items": [item(row["order_id"]) for row in FIRST_ORDERS]}
    return build(in_one({"early": store(300), "late": store(500), "first orders": first_orders}), select=CORE)


def test_repeat_rate_is_unchanged_when_data_are_appended(con: duckdb.DuckDBPyConnection) -> None:
    early, late = (records(con, REPEAT.format(store=name))[0] for name in ("early", "late"))
    assert early == late
    assert early["customers"] > 10
    assert 0 < early["repeaters"] < early["customers"]


def periods(orders: list[dict[str, Any]], **variables: Any) -> dict[str, str]:
    tables = {"orders": orders, "order_items": [item(row["order_id"]) for row in orders]}
    con = build(tables, select="+int_periods_set", vars=variables)
    return {name: str(value) for name, value in records(con, "select * from intermediate.int_periods_set")[0].items()}


SPAN = [order("a", "2023-01-01", is_test=True), order("b", "2024-01-01"), order("c", "2025-06-30")]


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, ("2025-06-29", "2024-03-31", "2024-04-01", "2025-03-31")),
        ({"opened_on": "2023-12-20"}, ("2025-06-29", "2024-01-01", "2024-04-01", "2025-03-31")),
        ({"opened_on": "2015-01-01"}, ("2025-06-29", "2024-03-31", "2024-04-01", "2025-03-31")),  # years are missing
        ({"as_of": "2024-12-31", "horizon_days": 30}, ("2024-12-31", "2024-01-31", "2024-01-31", "2024-12-01")),
        (
            {"window_start": "2024-07-01", "window_end": "2024-09-30"},
            ("2025-06-29", "2024-03-31", "2024-07-01", "2024-09-30"),
        ),
    ],
)
def test_periods(variables: dict[str, Any], expected: tuple[str, ...]) -> None:
    found = periods(SPAN, **variables)
    assert (
        found["as_of_date"],
        found["censored_until_date"],
        found["window_start_date"],
        found["window_end_date"],
    ) == expected


def test_the_start_of_the_data_and_the_young_are_told_apart(con: duckdb.DuckDBPyConnection) -> None:
    rows = records(con, "select * from intermediate.int_customers_acquired where store_id = 'first orders'")
    assert {row["customer_id"] for row in rows if row["is_left_censored"]} == {"old", "censored"}
    assert {row["customer_id"] for row in rows if not row["is_mature"]} == {"young", "end"}


@pytest.mark.parametrize(
    ("time_zone", "moments"),
    [
        ("Pacific/Auckland", ("2024-06-01 12:00:00", "2024-12-31 12:00:00")),
        ("America/New_York", ("2025-01-01 02:00:00", "2025-06-01 12:00:00")),
    ],
)
def test_no_day_of_the_store_is_missing_at_the_turn_of_a_year(time_zone: str, moments: tuple[str, str]) -> None:
    """Found wrong once: the calendar ended with the year of UTC, and the store's New Year fell out."""
    tables = {
        "orders": [order(name, at) for name, at in zip("ab", moments, strict=True)],
        "order_items": [item("a"), item("b")],
        "refunds": [{"refund_id": "r", "refunded_at": at, "amount": 1} for at in moments[:1]],
    }
    con = build(tables, select="+mart_daily_revenue", vars={"time_zone": time_zone})
    days = records(con, "select sum(net_revenue_amount) as amount, count(*) as days from marts.mart_daily_revenue")[0]
    assert days["amount"] == 199
    calendar = records(con, "select min(date_day) as first, max(date_day) as last from core.dim_dates")[0]
    assert {(day.month, day.day) for day in calendar.values()} == {(1, 1), (12, 31)}  # whole years, no day more
