from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from marginwise.errors import MarginwiseError
from marginwise.science.evidence import posteriors
from marginwise.science.segment import segment_evidence

FORMED = dt.date(2026, 3, 31)
AS_OF = dt.date(2026, 6, 30)


def history(seed: int, customers: int = 600) -> pa.Table:
    """Orders of customers who are all alike: any difference between segments is chance."""
    rng = np.random.default_rng(seed)
    owner = np.repeat(np.arange(customers), rng.poisson(2, customers))
    days = rng.integers(-90, 91, len(owner))
    worth = rng.gamma(2, 10, len(owner))
    return pa.table({
        "store_id": ["main"] * len(owner), "customer_key": [str(number) for number in owner],
        "order_date": [FORMED + dt.timedelta(int(day)) for day in days], "net_revenue_amount": 2 * worth,
        "cm2_amount": worth, "unknown_cost_revenue_amount": np.zeros(len(owner)),
    })  # fmt: skip


def segments(orders: pa.Table, customers: int = 600) -> pa.Table:
    bought = {row["customer_key"] for row in orders.to_pylist() if row["order_date"] <= FORMED}
    names = [str(number) for number in range(customers)]
    return pa.table({
        "store_id": ["main"] * customers, "customer_key": names,
        "unit_id": ["Active" if name in bought else "Lapsed" for name in names],
    })  # fmt: skip


def judged(evidence: pa.Table) -> dict[str, dict[str, float]]:
    names = ["Active", "Lapsed"]
    units = pa.table({
        "store_id": ["main"] * 2, "unit_kind": ["segment"] * 2, "unit_id": names, "is_paid": [False] * 2,
        "has_spend": [False] * 2, "spend_amount": [0.0] * 2, "as_of_date": [AS_OF] * 2, "horizon_days": [90] * 2,
    })  # fmt: skip
    return {row["unit_id"]: row for row in posteriors(units, evidence).to_pylist() if row["scenario"] == "base"}


def test_a_segment_is_judged_on_what_comes_after_it_was_formed() -> None:
    chances, same_days = [], []
    for seed in range(20):
        orders = history(seed)
        members = segments(orders)
        after = judged(segment_evidence(members, orders, FORMED, 90))
        chances.append(after["Active"]["p_repeat_above_rest"])
        assert after["Active"]["margin_per_customer_amount"] == pytest.approx(20, rel=0.35)
        before = judged(segment_evidence(members, orders, FORMED - dt.timedelta(90), 90))
        same_days.append(before["Active"]["p_repeat_above_rest"])
        assert before["Lapsed"]["margin_amount"] == 0
    assert min(same_days) > 0.999
    assert 0.3 < np.mean(chances) < 0.7
    assert np.mean(np.array(chances) > 0.95) <= 0.2


def test_days_count_from_the_day_after_to_the_last_of_the_horizon() -> None:
    days = [-1, 0, 1, 90, 91]
    orders = pa.table({
        "store_id": ["main"] * 5, "customer_key": ["a"] * 5, "order_date": [FORMED + dt.timedelta(day) for day in days],
        "net_revenue_amount": [1.0] * 5, "cm2_amount": [1.0, 2.0, 4.0, 8.0, 16.0],
        "unknown_cost_revenue_amount": [0.0] * 5,
    })  # fmt: skip
    members = pa.table({"store_id": ["main"], "unit_id": ["Active"], "customer_key": ["a"]})
    row = segment_evidence(members, orders, FORMED, 90).to_pylist()[0]
    assert (row["cm2_amount"], row["orders_count"], row["entered_date"]) == (12.0, 2, FORMED)


def test_a_segment_whose_horizon_has_not_passed_is_not_judged_yet() -> None:
    orders = history(1)
    early = segment_evidence(segments(orders), orders, AS_OF - dt.timedelta(30), 90)
    assert judged(early)["Active"]["customers_count"] == 0


def test_a_customer_in_two_segments_is_an_error() -> None:
    twice = pa.table({"store_id": ["main"] * 2, "unit_id": ["A", "B"], "customer_key": ["a", "a"]})
    with pytest.raises(MarginwiseError, match="more than one segment"):
        segment_evidence(twice, history(1), FORMED, 90)
