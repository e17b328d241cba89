"""The demo generator writes down what it planted; the order lines, refunds and spend add up to it to the cent."""

from __future__ import annotations

from decimal import Decimal

import pytest

from marginwise.demo.store import generate_tables
from marginwise.settings import Settings
from tests.warehouse.harness import build
from tests.warehouse.rows import CORE, records


def test_totals_are_those_planted() -> None:
    tables, truth = generate_tables(orders=400, seed=11)
    rows = {
        name: table.to_pylist()
        for name, table in tables.items()
        if name not in ("weather", "inventory", "reviews", "budgets")
    }
    settings = Settings.model_validate({**truth.settings})
    con = build(
        rows,
        select=CORE,
        settings=settings,
        vars={"affiliate_commission_in": "spend", "reporting_currency": truth.currency},
    )
    lines = records(
        con,
        """
        select count(*) as order_lines_count, count(distinct order_key) as orders_count,
            sum(gross_sales_amount) as gross_sales_amount, sum(discount_amount) as discount_amount,
            sum(cancelled_amount) as cancelled_amount, sum(net_revenue_amount) as net_revenue_amount,
            sum(refund_amount) as refund_amount, sum(cm2_amount) as cm2_amount
        from core.fct_order_lines where is_counted
        """,
    )[0]
    orderless = records(
        con,
        """
        select coalesce(sum(amount), 0) as refund_amount,
            coalesce(sum(restocked_cost_amount - amount - shipping_amount - handling_cost_amount), 0) as cm2_amount
        from core.fct_refunds where is_orderless and is_counted
        """,
    )[0]
    spend = records(con, "select sum(spend_amount) as spend_amount from core.fct_marketing_spend")[0]
    found = {
        **lines,
        **spend,
        "refund_amount": lines["refund_amount"] + orderless["refund_amount"],
        "net_revenue_amount": lines["net_revenue_amount"] - orderless["refund_amount"],
        "cm2_amount": lines["cm2_amount"] + orderless["cm2_amount"],
    }
    planted = {name: truth.totals[name] for name in found}
    assert {name: float(Decimal(value)) for name, value in found.items()} == pytest.approx(planted, abs=0.02)
