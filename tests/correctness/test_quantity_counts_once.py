"""Trap: quantity counted twice, a split payment that multiplies lines, a split line that moves a total."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from tests.warehouse.harness import build
from tests.warehouse.rows import CORE, Tables, in_one, item, order, records

ORDER = order(
    "o",
    "2024-03-01",
    customer_id="c",
    discount_amount="7.77",
    shipping_charged_amount="4.99",
    shipping_cost_amount="3.33",
)
SUMS = ("gross_sales_amount", "discount_amount", "net_revenue_amount", "goods_cost_amount", "payment_fee_amount",
        "shipping_cost_amount", "cm1_amount", "cm2_amount")  # fmt: skip


def payment(number: int, amount: Any, fee: Any, order_id: str = "o") -> dict[str, Any]:
    return {"order_id": order_id, "payment_number": number, "method": "card", "amount": amount, "fee_amount": fee}


VARIANTS: dict[str, Tables] = {
    store: {"orders": [ORDER], "order_items": items, "payments": payments}
    for store, items, payments in (
        ("plain", [item("o", 1, quantity=6, unit_price="12.34", unit_cost="5.01")], [payment(1, 71, "2.13")]),
        ("double", [item("o", 1, quantity=12, unit_price="12.34", unit_cost="5.01")], [payment(1, 71, "2.13")]),
        (
            "split line",
            [item("o", n, quantity=2, unit_price="12.34", unit_cost="5.01") for n in (1, 2, 3)],
            [payment(1, 71, "2.13")],
        ),
        (
            "split payment",
            [item("o", 1, quantity=6, unit_price="12.34", unit_cost="5.01")],
            [payment(1, 40, "1.00"), payment(2, 31, "1.13")],
        ),
    )
}


def odd_orders() -> Tables:
    chance = random.Random(7)
    tables: Tables = {"orders": [], "order_items": [], "payments": [], "exchange_rates": []}
    tables["exchange_rates"].append({"date": "2024-03-01", "currency": "JPY", "rate": "0.00612345"})
    for number in range(300):
        name = f"o{number}"
        spread = {column: round(chance.uniform(0, 50), chance.choice([2, 4])) for column in
                  ("discount_amount", "shipping_charged_amount", "shipping_cost_amount", "handling_cost_amount")}  # fmt: skip
        tables["orders"].append(order(name, "2024-03-01", currency=chance.choice(["EUR", "JPY"]), **spread))
        for line in range(1, chance.choice([1, 2, 3, 7, 40])):
            tables["order_items"].append(
                item(name, line, f"p{line}", quantity=chance.randint(0, 5), unit_price=round(chance.uniform(0, 99), 2))
            )
        tables["payments"].append(payment(1, 10, round(chance.uniform(0, 9), 4), name))
    return tables


def identical_lines() -> Tables:
    tables = {"orders": [order("o", "2024-03-01")],
              "order_items": [item("o", 1), item("o", 2), item("o", 3, quantity=2), item("o", 4, "q")]}  # fmt: skip
    tables["orders"].append(order("no discount", "2024-03-01"))
    tables["order_items"] += [item("no discount", number, discount_amount=discount)
                              for number, discount in enumerate((None, 5, 0), 1)]  # fmt: skip
    return tables


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    # that an order's amounts are those of its lines is also a test of the warehouse, run by the build
    return build(in_one({**VARIANTS, "odd": odd_orders(), "identical": identical_lines()}), select=CORE)


def sums(con: duckdb.DuckDBPyConnection, store: str) -> dict[str, Decimal]:
    columns = ", ".join(f"sum({name}) as {name}" for name in SUMS)
    return records(con, f"select {columns} from core.fct_order_lines where store_id = '{store}'")[0]


def test_double_quantity_split_line_split_payment(con: duckdb.DuckDBPyConnection) -> None:
    found = {store: sums(con, store) for store in VARIANTS}
    assert found["plain"]["gross_sales_amount"] == Decimal("74.04")
    assert found["double"]["gross_sales_amount"] == 2 * found["plain"]["gross_sales_amount"]
    assert found["double"]["goods_cost_amount"] == 2 * found["plain"]["goods_cost_amount"]
    assert found["double"]["discount_amount"] == found["plain"]["discount_amount"] == Decimal("7.77")
    assert found["split line"] == found["plain"]
    assert found["split payment"] == found["plain"]


def test_order_amounts_are_split_without_a_remainder(con: duckdb.DuckDBPyConnection) -> None:
    """Random orders, odd amounts and rates of exchange: the lines add up to the order to the last digit."""
    off = records(
        con,
        """
        select stated.order_id from intermediate.int_orders_resolved as stated
        inner join (
            select order_id, sum(discount_amount) as discount, sum(payment_fee_amount) as fee,
                sum(shipping_charged_amount) as charged, sum(handling_cost_amount) as handling
            from core.fct_order_lines where store_id = 'odd' group by order_id
        ) as lines using (order_id)
        where stated.store_id = 'odd' and (stated.discount_amount, stated.payment_fee_amount, stated.shipping_charged_amount, stated.handling_cost_amount)
            is distinct from (discount, fee, charged, handling)
        """,
    )
    assert off == []
    counted = "select count(*) as n from core.fct_orders where store_id = 'odd' and lines_count > 0"
    assert records(con, counted)[0]["n"] > 200


def test_identical_lines_stay_and_are_flagged(con: duckdb.DuckDBPyConnection) -> None:
    rows = records(
        con,
        "select order_id, line_number, is_duplicate, net_revenue_amount from core.fct_order_lines"
        " where store_id = 'identical' order by 1, 2",
    )
    # none and 0 are one discount: the later of the two lines repeats the earlier
    assert [row["is_duplicate"] for row in rows] == [False, False, True, False, True, False, False]
    assert sum(row["net_revenue_amount"] for row in rows) == 500 + 295
