"""A small sample of the report on simulated stores; `make truth` runs the whole of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from benchmarks.truth.cases import ages, few_customers, placebo
from benchmarks.truth.measures import (
    calibration,
    clear_right,
    coverage,
    false_verdict_stores,
    floats,
    money,
    named_wrongly,
    words,
)
from benchmarks.truth.months import NARROW, judged_months, month_plans
from benchmarks.truth.plan import StorePlan, break_even_plans, campaign_plans, store_plans
from benchmarks.truth.report import report
from benchmarks.truth.run import Simulated
from benchmarks.truth.simulate import SETTINGS, judged_store
from benchmarks.truth.stability import stability

SEED = 11
ROOT = Path(__file__).resolve().parents[2]


def judged(judge: Callable[[Any], pa.Table], plans: list[Any]) -> pa.Table:
    return pa.concat_tables([judge(plan) for plan in plans])


@pytest.fixture(scope="module")
def found() -> Simulated:
    """Simulate a little of everything."""
    return Simulated(
        stores=judged(judged_store, store_plans(40, SEED)),
        break_even=judged(judged_store, break_even_plans(16, SEED)),
        campaigns=judged(judged_store, campaign_plans(6, SEED)),
        untagged=judged(judged_store, [StorePlan((SEED, 3, n), untagged_rate=0.1) for n in range(4)]),
        months=judged(judged_months, month_plans(4, SEED)),
        ages=pa.concat_tables([ages(SEED, number) for number in range(9)]),
        few_customers=pa.concat_tables([few_customers(SEED, number) for number in (0, 5, 6, 7, 8)]),
        placebo=pa.concat_tables([placebo(SEED, number) for number in range(7)]),
    )


def test_probabilities_and_intervals_mean_what_they_say(found: Simulated) -> None:
    for part in calibration(found.stores):
        assert part.holds, part
    assert 0.84 <= coverage(found.stores).rate <= 0.96


def test_where_the_truth_is_clear_the_verdict_is_right(found: Simulated) -> None:
    share = clear_right(found.stores)
    assert share.count > 20
    assert share.rate >= 0.90


@pytest.mark.parametrize(("verdict", "limit"), [("scale", 0.10), ("kill", 0.05)])
def test_where_all_break_even_few_get_a_verdict_by_chance(found: Simulated, verdict: str, limit: float) -> None:
    assert false_verdict_stores(found.break_even, verdict).rate <= limit + 0.05
    assert false_verdict_stores(found.campaigns, verdict).rate <= 0.10
    assert named_wrongly(found.stores, verdict).rate <= limit


def test_wrong_verdicts_cost_less_than_the_sign_of_the_margin(found: Simulated) -> None:
    ours, sign = money(found.stores)
    assert ours.wrong < 0.2 * sign.wrong


def test_equal_processes_of_different_age_get_equal_verdicts(found: Simulated) -> None:
    verdict = words(found.ages)
    assert np.mean(verdict[::2] == verdict[1::2]) >= 0.9
    assert len(set(verdict)) == 3
    young = words(found.ages, "unit") == "Young"
    shown, to_date = (floats(found.ages, name) for name in ("margin_per_customer", "margin_to_date"))
    difference, error = shown[young] - shown[~young], 1 / np.sqrt(young.sum())
    assert abs(difference.mean()) <= 3 * error * difference.std()
    assert np.mean(to_date[young] - to_date[~young]) < difference.mean() - 1


def test_much_spend_for_very_few_customers_is_killed(found: Simulated) -> None:
    assert set(words(found.few_customers)) == {"kill"}


def test_placebo_channels_get_no_verdict_that_sounds_causal(found: Simulated) -> None:
    verdict, label = words(found.placebo), words(found.placebo, "label")
    assert (verdict == "scale").sum() > 5
    assert all("(test)" in text for text in label[verdict == "scale"])
    assert all("holdout" in text for text in label[verdict == "kill"])
    assert set(words(found.placebo, "evidence_grade")) == {"one model only"}


def test_standing_verdicts_change_less_often_than_the_sign(found: Simulated) -> None:
    ours, sign = stability(found.months, "verdict"), stability(found.months, "sign")
    assert ours.flips < sign.flips
    assert ours.reversals < 0.1 * sign.reversals


def test_memory_and_the_wider_band_each_save_changes(found: Simulated) -> None:
    built, narrow, without_memory = (stability(found.months, rule) for rule in ("verdict", "narrow", "without_memory"))
    assert built.flips < narrow.flips < without_memory.flips


def test_the_page_and_its_decision_name_the_thresholds_in_use() -> None:
    limits = SETTINGS
    page, decision, rules = (
        (ROOT / "docs" / name).read_text(encoding="utf-8")
        for name in ("truth.md", "decisions/a-verdict-stands.md", "decisions.md")
    )
    scale, kill = limits.scale_leave_repeat_probability, limits.kill_leave_repeat_probability
    assert f"as built ({scale} and {kill})" in page
    narrow = f"{NARROW.scale_leave_repeat_probability:.2f} and {NARROW.kill_leave_repeat_probability:.2f}"
    assert f"The design first named {narrow}" in page
    told = f"{limits.scale_leave_probability:.2f} and {scale} for Scale, {limits.kill_leave_probability:.2f} and {kill} for Kill"
    assert told in decision
    for threshold in (limits.scale_leave_probability, scale, limits.kill_leave_probability, kill):
        assert f"{threshold:.2f}" in rules


def test_a_store_does_not_depend_on_how_many_are_simulated() -> None:
    few, many = store_plans(2, SEED), store_plans(5, SEED)
    assert few == many[:2]
    assert judged_store(few[1]).equals(judged_store(many[1]))


def test_the_report_names_what_fails(found: Simulated) -> None:
    page = report(found, 100, SEED)
    assert "make truth" in page
    assert "nan" not in page
    broken = found.break_even.set_column(
        found.break_even.column_names.index("verdict"), "verdict", pa.array(["kill"] * found.break_even.num_rows)
    )
    failing = report(Simulated(**{**found.__dict__, "break_even": broken}), 100, SEED)
    told = failing.split("## What does not hold")[1].split("##")[0]
    assert "any false Kill in at most 5 % of stores" in told
    assert "**no**" in failing


def test_the_page_is_the_reports_and_says_how_to_repeat_it() -> None:
    page = (ROOT / "docs" / "truth.md").read_text(encoding="utf-8")
    assert page.startswith("# Can the verdicts be trusted?")
    assert "2,000 small stores" in page
    assert "make truth" in page
