"""Where a refund lies, what it takes and what comes back, on both date bases."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from tests.warehouse.harness import build
from tests.warehouse.rows import CORE, amounts, item, order, records, refund

TABLES = {
    "orders": [
        order("line", "2024-03-01", customer_id="anna"),
        order("spread", "2024-03-01", customer_id="ben"),
        order("product", "2024-03-01"),
        order("shipping", "2024-03-01", shipping_charged_amount=9),
        order("restocked", "2024-03-01"),
        order("too much", "2024-03-01"),
        order("cancelled", "2024-03-01", status="cancelled"),
        order("test", "2024-03-01", is_test=True),
        order("dollar", "2024-03-01", currency="USD"),
        order("empty", "2024-03-01", customer_id="ben"),
        order("half known", "2024-03-01"),
    ],
    "order_items": [
        item("line", 1, "a"),
        item("line", 2, "b"),
        item("spread", 1, "a", unit_price=10),
        item("spread", 2, "b", unit_price=20),
        item("spread", 3, "c", unit_price=3, discount_amount=3),
        item("spread", 4, "postage", unit_price=1000),
        item("product", 1, "a"),
        item("product", 2, "b"),
        item("shipping", 1, "a"),
        item("restocked", 1, "a", quantity=4, free_quantity=1, unit_cost=10),
        item("too much", 1, "a"),
        item("cancelled", 1, "a"),
        item("test", 1, "a"),
        item("dollar", 1, "a"),
        item("half known", 1, "a"),
        item("half known", 2, "b"),
    ],
    "products": [
        {"product_id": "postage", "name": "Postage", "kind": "shipping"},
        {"product_id": "a", "name": "A", "unit_cost": 6},
    ],
    "exchange_rates": [
        {"date": "2024-03-01", "currency": "USD", "rate": 0.5},
        {"date": "2024-04-01", "currency": "USD", "rate": 0.9},
    ],
    "refunds": [
        refund("line", "2024-04-01", 30, order_id="line", line_number=2, tax_amount=5),
        refund("spread", "2024-04-01", 20, order_id="spread"),
        refund("product", "2024-04-01", 15, order_id="product", product_id="b"),
        refund("shipping", "2024-04-01", 0, order_id="shipping", shipping_amount=9, handling_cost_amount=2),
        refund("restocked", "2024-04-01", 200, order_id="restocked", line_number=1, quantity=2, restocked_quantity=2),
        refund("restocked again", "2024-04-02", 0, order_id="restocked", line_number=1, restocked_quantity=9),
        refund("most of it", "2024-04-01", 90, order_id="too much"),
        refund("the rest and more", "2024-04-02", 30, order_id="too much"),
        refund("cancelled", "2024-03-02", 100, order_id="cancelled", kind="cancellation", restocked_quantity=1),
        refund("test", "2024-03-02", 100, order_id="test"),
        refund("dollar", "2024-04-01", 40, order_id="dollar"),
        refund("no order", "2024-04-01", 8, customer_id="anna", product_id="a", quantity=1, restocked_quantity=2),
        refund("never sold", "2024-04-01", 4, customer_id="ben", product_id="x"),
        refund("sold later", "2024-02-01", 4, customer_id="anna", product_id="a"),
        refund("postage", "2024-04-01", 3, customer_id="anna", product_id="postage"),
        refund("order without lines", "2024-04-01", 1, order_id="empty"),
        refund("half known", "2024-04-01", 200, order_id="half known", restocked_quantity=2),
    ],
}


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    return build(TABLES, select=CORE)


def lines(con: duckdb.DuckDBPyConnection, *columns: str) -> dict[Any, Any]:
    return amounts(con, "core.fct_order_lines", "order_id || ' ' || line_number", *columns)


def refunds(con: duckdb.DuckDBPyConnection, *columns: str) -> dict[Any, Any]:
    return amounts(con, "core.fct_refunds", "refund_id", *columns)


def test_a_refund_lies_on_its_line_its_product_or_all_goods(con: duckdb.DuckDBPyConnection) -> None:
    amount = lines(con, "refund_amount")
    assert (amount["line 1"], amount["line 2"]) == (0, 30)
    assert (amount["product 1"], amount["product 2"]) == (0, 15)
    assert amount["spread 1"] == pytest.approx(20 / 3, abs=1e-4)
    assert (amount["spread 3"], amount["spread 4"]) == (0, 0)  # nothing on free goods or other codes
    assert sum(value for key, value in amount.items() if key.startswith("spread")) == 20


def test_shipping_and_tax_refunded_are_kept_apart(con: duckdb.DuckDBPyConnection) -> None:
    columns = (
        "net_revenue_amount",
        "shipping_charged_amount",
        "shipping_refunded_amount",
        "return_handling_cost_amount",
    )
    assert lines(con, *columns)["shipping 1"] == (100, 0, 9, 2)
    assert lines(con, "cm2_amount")["shipping 1"] == 92
    assert lines(con, "refund_amount")["line 2"] == 30
    assert refunds(con, "tax_amount")["line"] == 5


def test_cost_comes_back_for_restocked_goods_only(con: duckdb.DuckDBPyConnection) -> None:
    assert lines(con, "goods_cost_amount", "restocked_quantity")["restocked 1"] == (0, 5)  # never more than was sent
    restocked = refunds(con, "restocked_cost_amount")
    assert (restocked["restocked"], restocked["restocked again"], restocked["line"]) == (20, 30, 0)
    assert restocked["half known"] is None  # one of its two goods has no known cost
    assert lines(con, "goods_cost_amount")["product 1"] == 6
    assert restocked["no order"] == 12


def test_a_cancelled_or_test_order_takes_no_refund(con: duckdb.DuckDBPyConnection) -> None:
    found = lines(con, "refund_amount", "cancelled_amount", "net_revenue_amount", "goods_cost_amount")
    assert found["cancelled 1"] == (0, 100, 0, 0)
    counted = refunds(con, "is_counted", "restocked_cost_amount")
    assert counted["cancelled"] == (False, 0)
    assert counted["test"][0] is False


def test_a_refund_uses_the_rate_of_its_order(con: duckdb.DuckDBPyConnection) -> None:
    assert lines(con, "refund_amount")["dollar 1"] == 20


def test_refunds_without_order_keep_customer_and_product(con: duckdb.DuckDBPyConnection) -> None:
    flags = refunds(con, "is_orderless", "is_counted", "has_earlier_sale")
    assert flags["no order"] == (True, True, True)
    assert flags["never sold"] == (True, True, False)
    assert flags["sold later"] == (True, True, False)
    assert flags["postage"] == (True, False, False)  # no goods
    assert flags["order without lines"] == (True, True, False)
    assert flags["line"] == (False, True, True)
    row = records(con, "select * from core.fct_refunds where refund_id = 'no order'")[0]
    assert row["customer_id"] == "anna"
    assert row["order_date_basis_date"] == row["refund_date"]


def test_both_date_bases_hold_the_same_refunds(con: duckdb.DuckDBPyConnection) -> None:
    basis = records(con, "select refund_date::text as refunded, order_date_basis_date::text as ordered from core.fct_refunds "
                         "where refund_id = 'line'")  # fmt: skip
    assert basis == [{"refunded": "2024-04-01", "ordered": "2024-03-01"}]
    total = "select sum(amount) as amount from core.fct_refunds where is_counted"
    on_lines = "select sum(refund_amount) as amount from core.fct_order_lines"
    orderless = f"{total} and is_orderless"
    by_refund, by_line, without = (float(records(con, query)[0]["amount"]) for query in (total, on_lines, orderless))
    assert by_refund == by_line + without


def test_a_refund_above_its_order_is_flagged(con: duckdb.DuckDBPyConnection) -> None:
    flagged = refunds(con, "is_above_order")
    assert [key for key, value in flagged.items() if value] == ["the rest and more"]


def test_the_customer_of_the_order_is_the_refunds(con: duckdb.DuckDBPyConnection) -> None:
    assert refunds(con, "customer_id")["spread"] == "ben"
