"""What a line costs and earns: cost at the time of the order, taxes, currencies, fees, states."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from marginwise.errors import BuildFailed
from marginwise.settings import Assumptions, Settings
from tests.warehouse.harness import build
from tests.warehouse.rows import CORE, Tables, amounts, in_one, item, order, records

ORDERS = [
    order("own", "2024-03-01"),
    order("dated", "2024-03-01"),
    order("dated later", "2024-06-01 00:00:00"),
    order("versioned", "2024-03-01"),
    order("versioned before", "2019-01-01"),
    order("free", "2024-03-01"),
    order("assumed", "2024-03-01"),
    order("unknown", "2024-03-01"),
    order(
        "dollar", "2024-03-01", currency="USD", discount_amount=10, shipping_charged_amount=5, shipping_cost_amount=4
    ),
    order("dollar cost", "2024-03-01"),
    order("cancelled", "2024-03-01", status="cancelled", shipping_charged_amount=5, payment_fee_amount=1),
    order("void", "2024-03-01", status="void"),
    order("test", "2024-03-01", is_test=True),
    order("fees only", "2024-03-01"),
    order("paid twice", "2024-03-01"),
    order("fee of order", "2024-03-01", payment_fee_amount=3),
    order("affiliate", "2024-03-01", partner_id="friend"),
    order("stated commission", "2024-03-01", partner_id="friend", commission_amount=7),
    order("brand", "2024-03-01"),
    order("shop", "2024-03-01", sales_channel="bazaar", ship_country="AT"),
]
ITEMS = [
    item("own", product_id="costed", unit_cost=33, quantity=2),
    item("dated", product_id="costed", quantity=2),
    item("dated later", product_id="costed"),
    item("versioned", product_id="versioned"),
    item("versioned before", product_id="versioned"),
    item("free", product_id="costed", quantity=2, free_quantity=3),
    item("assumed", product_id="guessed"),
    item("unknown", product_id="nowhere"),
    item("dollar", product_id="costed", unit_cost=20),
    item("dollar cost", product_id="imported"),
    item("cancelled", product_id="costed"),
    item("void", product_id="costed"),
    item("test", product_id="costed"),
    item("fees only", product_id="postage"),
    item("paid twice", product_id="costed"),
    item("fee of order", product_id="costed"),
    item("affiliate", product_id="costed"),
    item("stated commission", product_id="costed"),
    item("brand", product_id="branded"),
    item("shop", product_id="costed"),
]
TABLES = {
    "orders": ORDERS,
    "order_items": ITEMS,
    "products": [
        {"product_id": "costed", "name": "Costed", "unit_cost": 99, "list_price": 120},
        {"product_id": "versioned", "name": "V", "unit_cost": 10, "updated_at": "2023-01-01"},
        {"product_id": "versioned", "name": "V", "unit_cost": 30, "updated_at": "2024-05-01"},
        {"product_id": "versioned", "name": "V", "unit_cost": 20, "updated_at": "2024-02-01"},
        {"product_id": "guessed", "name": "G", "category": "Toys"},
        {"product_id": "imported", "name": "I"},
        {"product_id": "postage", "name": "Postage", "kind": "shipping", "unit_cost": 1},
        {"product_id": "branded", "name": "B", "partner_id": "maker", "unit_cost": 1},
    ],
    "product_costs": [
        {"product_id": "costed", "valid_from": "2024-01-01", "unit_cost": 40, "currency": "EUR"},
        {"product_id": "costed", "valid_from": "2024-06-01", "unit_cost": 50, "currency": "EUR"},
        {"product_id": "imported", "valid_from": "2024-01-01", "unit_cost": 10, "currency": "USD"},
    ],
    "exchange_rates": [{"date": "2024-03-01", "currency": "USD", "rate": 0.5}],
    "payments": [
        {"order_id": "paid twice", "payment_number": 1, "method": "card", "amount": 60, "fee_amount": 2},
        {"order_id": "paid twice", "payment_number": 2, "method": "voucher", "amount": 40},
    ],
    "partners": [
        {"partner_id": "friend", "name": "Friend", "kind": "affiliate", "commission_rate": 0.05},
        {"partner_id": "maker", "name": "Maker", "kind": "brand", "commission_rate": 0.3},
    ],
}
SETTINGS = Settings(
    assumptions=Assumptions.model_validate(
        {
            "margin_rate": {"toys": 0.6},
            "shipping_cost": {"default": 6, "AT": 9},
            "payment_fee_rate": {"default": 0.02},
            "payment_fee_fixed": {"default": 0.25},
            "commission_rate": {"bazaar": 0.15},
        }
    )
)

UNRATED: Tables = {
    "orders": [
        order("unrated", "2024-03-01", partner_id="friend"),
        order("stated", "2024-03-01", partner_id="friend", commission_amount=7),
        order("cancelled", "2024-03-01", partner_id="friend", status="cancelled"),
        order("own", "2024-03-01"),
    ],
    "order_items": [item(name, unit_cost=40) for name in ("unrated", "stated", "cancelled", "own")],
    "partners": [{"partner_id": "friend", "name": "Friend", "kind": "affiliate"}],
}
HALF_KNOWN: Tables = {
    "orders": [order("postage", "2024-03-01"), order("half", "2024-03-01"), order("gift", "2024-03-01"),
               order("whole", "2024-03-01"), order("void", "2024-03-01", status="void")],
    "order_items": [
        item("postage"), item("postage", 2, "postage"),
        item("half"), item("half", 2, unit_cost=40),
        item("gift", unit_cost=40), item("gift", 2, unit_price=10, discount_amount=10),
        item("whole", unit_cost=40), item("whole", 2, "postage"), item("void", unit_cost=40),
    ],
    "products": [{"product_id": "postage", "name": "Postage", "kind": "shipping"}],
}  # fmt: skip
BARE: Tables = {"orders": [order("o", "2024-03-01")], "order_items": [item("o")]}
AFFILIATE: Tables = {
    "orders": [order("o", "2024-03-01", partner_id="friend")],
    "order_items": [item("o")],
    "partners": [{"partner_id": "friend", "name": "Friend", "kind": "affiliate", "commission_rate": 0.05}],
    "marketing_spend": [
        {"spend_date": "2024-03-01", "channel": "affiliates", "campaign": "all", "spend_amount": 5, "currency": "EUR"}
    ],
}


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    return build(TABLES, select=CORE, settings=SETTINGS)


@pytest.fixture(scope="module")
def plain() -> duckdb.DuckDBPyConnection:
    """Return the stores of which nothing is declared."""
    return build(in_one({"unrated": UNRATED, "half": HALF_KNOWN, "bare": BARE, "affiliate": AFFILIATE}), select=CORE)


def lines(con: duckdb.DuckDBPyConnection, *columns: str, store: str = "main") -> dict[Any, Any]:
    return amounts(con, f"core.fct_order_lines where store_id = '{store}'", "order_id", *columns)


def test_cost_is_the_one_at_the_order(con: duckdb.DuckDBPyConnection) -> None:
    cost = lines(con, "goods_cost_amount", "goods_cost_basis")
    assert cost["own"] == (66, "known")  # the line's own cost wins
    assert cost["dated"] == (80, "known")
    assert cost["dated later"] == (50, "known")  # valid from the very moment
    assert cost["versioned"] == (20, "known")  # versions arrived out of order
    assert cost["versioned before"] == (10, "known")  # the first version reaches back
    assert cost["free"] == (200, "known")  # what is given free of charge costs too
    assert cost["assumed"] == (40, "assumed")
    assert cost["unknown"] == (None, "unknown")
    assert lines(con, "cm1_amount", "cm2_amount")["unknown"] == (None, None)


def test_amounts_are_in_store_currency(con: duckdb.DuckDBPyConnection) -> None:
    dollar = lines(
        con, "gross_sales_amount", "discount_amount", "goods_cost_amount", "cm1_amount", "shipping_charged_amount"
    )
    assert dollar["dollar"] == (50, 5, 10, 35, 2.5)
    assert lines(con, "shipping_cost_amount", "shipping_cost_basis")["dollar"] == (2, "known")
    assert lines(con, "goods_cost_amount")["dollar cost"] == 5


def test_a_cancelled_order_leaves_whole(con: duckdb.DuckDBPyConnection) -> None:
    found = lines(
        con, "gross_sales_amount", "cancelled_amount", "net_revenue_amount", "goods_cost_amount", "cm2_amount"
    )
    assert found["cancelled"] == (100, 100, 0, 0, -1)  # the fee stays, nothing assumed is added
    assert lines(con, "gmv_amount")["cancelled"] == 120
    assert lines(con, "shipping_charged_amount")["cancelled"] == 0


@pytest.mark.parametrize("order_id", ["void", "test", "fees only"])
def test_void_test_and_other_codes_weigh_nothing(con: duckdb.DuckDBPyConnection, order_id: str) -> None:
    row = records(con, f"select * from core.fct_order_lines where order_id = '{order_id}'")[0]
    assert row["line_amount"] == 100
    assert not row["is_counted"]
    assert {
        row[name] for name in row if name.endswith("_amount") and name not in ("line_amount", "unit_price_amount")
    } <= {0, None}
    assert records(
        con, f"select is_counted, is_sale, order_number from core.fct_orders where order_id = '{order_id}'"
    ) == [{"is_counted": False, "is_sale": False, "order_number": None}]


def test_payment_fee_from_payments_then_order_then_assumption(con: duckdb.DuckDBPyConnection) -> None:
    fee = lines(con, "payment_fee_amount", "payment_fee_basis")
    assert fee["paid twice"] == (2, "known")
    assert fee["fee of order"] == (3, "known")
    assert fee["own"] == (4.25, "assumed")


def test_shipping_cost_by_country_then_default(con: duckdb.DuckDBPyConnection) -> None:
    cost = lines(con, "shipping_cost_amount", "shipping_cost_basis")
    assert cost["shop"] == (9, "assumed")
    assert cost["own"] == (6, "assumed")


def test_commission(con: duckdb.DuckDBPyConnection) -> None:
    commission = lines(con, "commission_amount", "commission_basis", "commission_kind")
    assert commission["affiliate"] == (5, "known", "affiliate")
    assert commission["stated commission"] == (7, "known", "affiliate")
    assert commission["brand"] == (0, "known", None)  # a brand is paid for goods, not by commission
    assert commission["shop"] == (15, "assumed", "marketplace")
    assert commission["own"] == (0, "known", None)


def test_a_partner_without_a_rate_leaves_the_commission_unknown(plain: duckdb.DuckDBPyConnection) -> None:
    found = lines(plain, "commission_amount", "commission_basis", "cm2_amount", store="unrated")
    assert found["unrated"] == (None, "unknown", 60)  # left out of CM2, and its basis says so
    assert found["stated"] == (7, "known", 53)
    assert found["cancelled"][:2] == (0, "known")
    assert found["own"] == (0, "known", 60)


def test_an_order_with_an_unknown_line_is_unknown(plain: duckdb.DuckDBPyConnection) -> None:
    columns = ("goods_cost_amount", "cm1_amount", "cm2_amount", "tax_amount", "unknown_cost_revenue_amount")
    found = amounts(plain, "core.fct_orders where store_id = 'half'", "order_id", *columns)
    assert found["postage"] == (None, None, None, None, 100)  # the line that is not counted makes nothing known
    assert found["half"] == (None, None, None, None, 100)
    assert found["gift"] == (None, None, None, None, 0)  # given away, and what it cost is not known
    assert found["whole"] == (40, 60, 60, None, 0)
    assert found["void"] == (None, None, None, None, 0)
    by_product = "core.fct_order_lines where store_id = 'half' group by product_id"
    products = amounts(plain, by_product, "product_id", "sum(goods_cost_amount)")
    assert products == {"p": 120, "postage": None}


def test_gmv_is_at_list_price(con: duckdb.DuckDBPyConnection) -> None:
    gmv = lines(con, "gmv_amount")
    assert gmv["own"] == 240
    assert gmv["versioned"] == 100  # no list price: the price paid


def test_without_assumptions_costs_are_unknown_never_zero(plain: duckdb.DuckDBPyConnection) -> None:
    columns = ("shipping_cost_amount", "shipping_cost_basis", "payment_fee_amount", "payment_fee_basis")
    assert lines(plain, *columns, store="bare") == {"o": (None, "unknown", None, "unknown")}


def test_a_price_that_includes_tax() -> None:
    orders = [
        order("stated", "2024-03-01", discount_amount=19),
        order("assumed", "2024-03-01 15:00:00"),
        order("order tax", "2024-03-01", tax_amount=19),
    ]
    items = [
        item("stated", unit_price=119, tax_amount=16),
        item("assumed", unit_price=238),
        item("order tax", unit_price=119),
    ]
    rates = {"tax_rate": {"default": 0.19}, "payment_fee_rate": {"default": 0.1}}
    settings = Settings(assumptions=Assumptions.model_validate(rates))
    tables = {"orders": orders, "order_items": items}
    variables = {"prices_include_tax_sources": ["test"], "time_zone": "Asia/Tokyo"}
    con = build(tables, select="+fct_orders", settings=settings, vars=variables)
    found = lines(con, "gross_sales_amount", "discount_amount", "net_revenue_amount", "tax_amount", "tax_basis")
    assert found["stated"][2:] == (84, 16, "known")
    assert found["stated"][0] - found["stated"][1] == pytest.approx(84)
    assert found["stated"][1] == pytest.approx(19 * 84 / 100, abs=1e-4)
    assert found["assumed"] == (200, 0, 200, 38, "assumed")
    assert found["order tax"] == (100, 0, 100, 19, "known")
    # what was paid holds the tax once, whoever states it
    assert lines(con, "payment_fee_amount") == {"stated": 10, "assumed": 23.8, "order tax": 11.9}
    days = {row["order_id"]: str(row["order_date"]) for row in records(con, "select * from core.fct_orders")}
    assert (days["stated"], days["assumed"]) == ("2024-03-01", "2024-03-02")  # the store's day, not UTC's


def test_a_day_without_a_rate_of_exchange_stops_the_build() -> None:
    tables = {
        "orders": [order("o", "2024-03-01", currency="USD")],
        "order_items": [item("o")],
        "exchange_rates": [{"date": "2024-03-02", "currency": "USD", "rate": 0.5}],
    }
    with pytest.raises(BuildFailed, match="assert_orders_have_exchange_rates"):
        build(tables, select="+int_orders_resolved")


def test_a_marketplace_earns_commission_not_sales() -> None:
    tables = {
        "orders": [
            order("rate", "2024-03-01"),
            order("stated", "2024-03-01", commission_amount=20),
            order("none", "2024-03-01"),
        ],
        "order_items": [item("rate", partner_id="seller"), item("stated"), item("none")],
        "partners": [{"partner_id": "seller", "name": "S", "kind": "seller", "commission_rate": 0.1}],
        "refunds": [{"refund_id": "r", "refunded_at": "2024-03-05", "amount": 50, "order_id": "rate"}],
    }
    con = build(tables, select="+fct_order_lines", vars={"business_model": "marketplace"})
    found = lines(con, "gmv_amount", "gross_sales_amount", "net_revenue_amount", "cm1_amount", "commission_amount")
    assert found["rate"] == (100, 10, 5, 5, 0)
    assert found["stated"] == (100, 20, 20, 20, 0)
    assert found["none"] == (100, 0, 0, None, 0)


def counted_once(con: duckdb.DuckDBPyConnection, store: str) -> tuple[Any, Any]:
    """Return the commission of the order of AFFILIATE, and the spend of its channel: as counted and as stated."""
    spent = f"core.fct_marketing_spend where store_id = '{store}'"
    spend = amounts(con, spent, "channel_name", "spend_amount", "stated_spend_amount")
    return lines(con, "commission_amount", store=store)["o"], spend["Affiliates"]


def test_affiliate_commission_counts_once(plain: duckdb.DuckDBPyConnection) -> None:
    assert counted_once(plain, "affiliate") == (5, (0, 5))  # as commission, unless declared otherwise
    con = build(AFFILIATE, select="+fct_order_lines +fct_marketing_spend", vars={"affiliate_commission_in": "spend"})
    assert counted_once(con, "main") == (0, (5, 5))
