from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from marginwise.errors import MarginwiseError
from marginwise.science.evidence import posteriors
from marginwise.science.variants import variant_posteriors

Rows = dict[tuple[str, str, int, float], dict[str, Any]]
COST = 7.0


def store(seed: int) -> tuple[pa.Table, pa.Table]:
    """Return six paid channels and their customers, with a heavy tail, as the decision marts hold them."""
    rng = np.random.default_rng(seed)
    names = [f"channel {number}" for number in range(6)]
    customers = [name for name in names for _ in range(int(rng.integers(60, 200)))]
    units = pa.table({"store_id": ["main"] * 6, "unit_kind": ["channel"] * 6, "unit_id": names, "is_paid": [True] * 6,
                      "has_spend": [True] * 6, "spend_amount": rng.uniform(500, 4_000, 6)})  # fmt: skip
    count = len(customers)
    evidence = pa.table({
        "store_id": ["main"] * count, "unit_kind": ["channel"] * count, "unit_id": customers,
        "subject_key": [str(number) for number in range(count)], "cm2_amount": rng.lognormal(2, 1.2, count) - 2,
        "unknown_cost_revenue_amount": [0.0] * count, "has_repeated": rng.random(count) < 0.3,
    })  # fmt: skip
    return units, evidence


def as_variants(
    units: pa.Table, evidence: pa.Table, *, rule: str = "first", days: int = 90
) -> tuple[pa.Table, pa.Table]:
    """Return a store's units and customers as those of one variant; every customer costs the same."""
    count = evidence.num_rows
    units = units.append_column("touch_rule", pa.array([rule] * units.num_rows))
    if "horizon_days" in units.column_names:
        units = units.drop_columns(["horizon_days"])
    units = units.append_column("horizon_days", pa.array([days] * units.num_rows))
    customers = pa.table({
        "store_id": evidence["store_id"], "horizon_days": [days] * count, f"{rule}_channel": evidence["unit_id"],
        f"{rule}_campaign": pa.nulls(count, pa.string()), "cm2_amount": evidence["cm2_amount"],
        "cost_amount": [COST] * count, "has_repeated": evidence["has_repeated"],
    })  # fmt: skip
    return units, customers


def keyed(found: pa.Table) -> Rows:
    return {
        (row["unit_id"], row["touch_rule"], row["horizon_days"], row["cost_rate"]): row for row in found.to_pylist()
    }


def test_costs_as_they_are_give_the_evidence_itself() -> None:
    units, evidence = store(11)
    base = {row["unit_id"]: row for row in posteriors(units, evidence).to_pylist()
            if row["scenario"] == "base"}  # fmt: skip
    found = keyed(variant_posteriors(*as_variants(units, evidence)))
    assert len(found) == 3 * len(base)
    for name, row in base.items():
        same = found[name, "first", 90, 1.0]
        for column in ("customers_count", "repeat_customers_count", "repeat_rate", "rest_repeat_rate"):
            assert same[column] == row[column], column
        assert same["margin_amount"] == pytest.approx(row["margin_amount"])
        assert same["p_margin_positive"] == pytest.approx(row["p_margin_positive"], abs=0.04)
        assert same["p_repeat_above_rest"] == pytest.approx(row["p_repeat_above_rest"], abs=0.05)


def test_costs_move_the_margin_by_exactly_their_share_and_only_down() -> None:
    units, evidence = store(12)
    found = keyed(variant_posteriors(*as_variants(units, evidence)))
    for name in units["unit_id"].to_pylist():
        low, same, high = (found[name, "first", 90, rate] for rate in (0.8, 1.0, 1.2))
        moved = 0.2 * COST * same["customers_count"]
        assert low["margin_amount"] - same["margin_amount"] == pytest.approx(moved)
        assert same["margin_amount"] - high["margin_amount"] == pytest.approx(moved)
        assert low["p_margin_positive"] >= same["p_margin_positive"] >= high["p_margin_positive"]
        assert low["repeat_rate"] == high["repeat_rate"]


def test_the_order_of_rows_decides_nothing() -> None:
    units, customers = as_variants(*store(13))
    shuffled = np.random.default_rng(1).permutation(customers.num_rows)
    backwards = np.arange(units.num_rows)[::-1]
    assert variant_posteriors(units, customers).equals(
        variant_posteriors(units.take(pa.array(backwards)), customers.take(pa.array(shuffled)))
    )


def test_each_touch_rule_has_its_own_rest_that_leaves_the_unit_out() -> None:
    """A channel with 96 % of the customers repeats less than the rest; against the store it would look like it."""

    def one(rule: str) -> tuple[list[dict[str, Any]], list[str]]:
        large, small = ("A", "B") if rule == "first" else ("B", "A")
        names = [large] * 960 + [small] * 40
        spent = [{"store_id": "main", "unit_kind": kind, "unit_id": name, "touch_rule": rule, "horizon_days": 30,
                  "is_paid": True, "has_spend": True, "spend_amount": 100.0}
                 for kind, name in (("channel", "A"), ("channel", "B"), ("campaign", "A / c"))]  # fmt: skip
        return spent, names

    (first_units, first), (last_units, last) = one("first"), one("last")
    repeated = [n % 4 == 0 for n in range(960)] + [n % 2 == 0 for n in range(40)]
    customers = pa.table({
        "store_id": ["main"] * 1000, "horizon_days": [30] * 1000, "cm2_amount": [5.0 + n % 7 for n in range(1000)],
        "cost_amount": [1.0] * 1000, "has_repeated": repeated,
        "first_channel": first, "last_channel": last,
        "first_campaign": ["A / c" if name == "A" else None for name in first],
        "last_campaign": ["A / c" if name == "A" else None for name in last],
    })  # fmt: skip
    found = keyed(variant_posteriors(pa.Table.from_pylist(first_units + last_units), customers))
    assert found["A", "first", 30, 1.0]["rest_repeat_rate"] == 0.5
    assert found["A", "first", 30, 1.0]["p_repeat_above_rest"] < 0.01
    assert found["A", "last", 30, 1.0]["rest_repeat_rate"] == 0.25
    assert found["A / c", "first", 30, 1.0]["rest_repeat_rate"] == 0.5  # the rest of the store, not of the campaigns
    assert found["A / c", "last", 30, 1.0]["customers_count"] == 40


def test_a_horizon_that_nobody_is_old_enough_for_tells_nothing() -> None:
    units, customers = as_variants(*store(14))
    older = units.set_column(units.schema.get_field_index("horizon_days"), "horizon_days",
                             pa.array([180] * units.num_rows))  # fmt: skip
    found = variant_posteriors(pa.concat_tables([units, older]), customers)
    empty = found.filter(pc.field("horizon_days") == 180)
    assert empty.num_rows == 3 * units.num_rows
    assert set(empty["p_margin_positive"].to_pylist()) == {None}
    assert set(empty["customers_count"].to_pylist()) == {0}
    assert found.filter(pc.field("horizon_days") == 90).equals(variant_posteriors(units, customers))


def test_no_units_give_no_rows_and_strange_units_are_named() -> None:
    units, customers = as_variants(*store(15))
    assert variant_posteriors(units.slice(0, 0), customers.slice(0, 0)).num_rows == 0
    missing = units["unit_id"][0].as_py()
    with pytest.raises(MarginwiseError, match=missing):
        variant_posteriors(units.filter(pc.field("unit_id") != missing), customers)
