"""Rows for the rules: one channel whose data suffice, and its posterior; what a test changes is named in the call."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from marginwise.decisions.verdict import verdicts
from marginwise.science.evidence import SCENARIOS
from marginwise.settings import DecisionSettings

__all__ = ["GRADES", "judge", "posterior", "unit"]

Row = dict[str, Any]
GRADES = {"orders": "A", "order_items": "A", "marketing_spend": "A"}


def unit(name: str = "Search", **changes: Any) -> Row:
    """Return a row of `mart_decision_units`."""
    row = {
        "store_id": "main", "unit_kind": "channel", "unit_id": name, "unit_name": name, "is_paid": True,
        "lever": "budget", "has_spend": True, "is_spend_assumed": False, "spend_amount": 1_000.0,
        "customers_count": 400, "mature_customers_count": 400, "orders_count": 500, "net_revenue_amount": 10_000.0,
        "previous_net_revenue_amount": 12_000.0, "roas": 0.9, "known_cost_rate": 1.0, "assumed_cost_rate": 0.0,
        "unknown_cost_rate": 0.0, "goods_unknown_rate": 0.0, "unattributed_rate": 0.05, "funnel_worst_step": None,
        "funnel_loss_amount": None, "shipping_cost_amount": 500.0, "payment_fee_amount": 200.0,
        "goods_cost_amount": 4_000.0, "commission_amount": 0.0, "refund_amount": 300.0, "discount_amount": 100.0,
    }  # fmt: skip
    return {**row, **changes}


def posterior(name: str = "Search", scenario: str = "base", **changes: Any) -> Row:
    """Return a row of what `posteriors` returns."""
    row = {
        "store_id": "main", "unit_kind": "channel", "unit_id": name, "scenario": scenario, "customers_count": 400,
        "margin_amount": 900.0, "margin_low_amount": -500.0, "margin_high_amount": 2_300.0,
        "margin_per_customer_amount": 2.25, "margin_per_customer_low_amount": -1.0,
        "margin_per_customer_high_amount": 6.0, "expected_margin_amount": 900.0, "margin_deviation_amount": 850.0,
        "p_margin_positive": 0.85, "repeat_customers_count": 400, "repeat_rate": 0.31,
        "estimated_repeat_rate": 0.30, "repeat_low_rate": 0.26,
        "repeat_high_rate": 0.34, "rest_repeat_rate": 0.25, "p_repeat_above_rest": 0.95,
    }  # fmt: skip
    return {**row, **changes}


def judge(
    units: list[Row],
    posteriors: list[Row],
    grades: dict[str, str] | None = None,
    settings: DecisionSettings | None = None,
    previous: dict[tuple[str, str, str], str] | None = None,
) -> list[Row]:
    """Return the verdict rows; a unit's other scenarios repeat its base where they are not given."""
    given = {(row["unit_kind"], row["unit_id"], row["scenario"]) for row in posteriors}
    rest = [
        {**row, "scenario": scenario}
        for row in posteriors
        if row["scenario"] == "base"
        for scenario in SCENARIOS
        if (row["unit_kind"], row["unit_id"], scenario) not in given
    ]
    graded = GRADES if grades is None else grades
    table = pa.table({
        "table_name": list(graded), "is_present": [True] * len(graded), "grade": list(graded.values())
    })  # fmt: skip
    found = verdicts(
        pa.Table.from_pylist(units),
        pa.Table.from_pylist(posteriors + rest),
        table,
        settings or DecisionSettings(),
        "EUR",
        previous,
    )
    rows: list[Row] = found.to_pylist()
    return rows
