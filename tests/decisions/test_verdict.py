from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest

from marginwise.decisions.number_format import money, rate
from marginwise.decisions.verdict import looks_good_loses_money
from marginwise.settings import DecisionSettings
from tests.decisions.judged_rows import GRADES, judge, posterior, unit

SETTINGS = DecisionSettings()
SCALE = {"p_margin_positive": 0.97, "margin_low_amount": 100.0, "margin_high_amount": 1_900.0}
KILL = {"p_margin_positive": 0.01, "margin_amount": -900.0, "margin_low_amount": -1_900.0, "margin_high_amount": -100.0,
        "expected_margin_amount": -880.0, "margin_deviation_amount": 300.0, "estimated_repeat_rate": 0.2,
        "p_repeat_above_rest": 0.1}  # fmt: skip


def one(
    unit_changes: dict[str, Any] | None = None, grades: dict[str, str] | None = None, **found: Any
) -> dict[str, Any]:
    return judge([unit(**(unit_changes or {}))], [posterior(**found)], grades)[0]


def test_scale_kill_and_fix_speak_no_louder_than_attribution_allows() -> None:
    assert one(**SCALE)["label"] == "Scale (test)"
    assert one(**KILL)["label"] == "Kill candidate: run a holdout"
    assert one()["label"] == "Fix"
    assert {one(**found)["evidence_grade"] for found in (SCALE, KILL, {})} == {"one model only"}


@pytest.mark.parametrize(
    ("changes", "basis"),
    [
        ({}, "known"),
        ({"known_cost_rate": 0.4, "assumed_cost_rate": 0.6}, "assumed"),
        ({"is_spend_assumed": True}, "assumed"),
    ],
)
def test_verdicts_on_assumed_costs_or_spend_say_so(changes: dict[str, Any], basis: str) -> None:
    row = one(changes, **SCALE)
    assert row["basis"] == basis
    assert row["label"] == ("Scale (test)" if basis == "known" else "Scale (test) (assumed)")


def test_assumed_spend_needs_no_spend_table() -> None:
    without = {"orders": "A", "order_items": "A"}
    assert one({"is_spend_assumed": True}, without, **SCALE)["verdict"] == "scale"
    assert one({}, without, **SCALE)["reason_codes"] == ["table_absent"]


@pytest.mark.parametrize(
    ("changes", "found", "code", "missing"),
    [
        ({"has_spend": False, "spend_amount": None}, {"p_margin_positive": None, "expected_margin_amount": None},
         "spend_missing", "spend per day of Search"),
        ({"known_cost_rate": 0.3, "assumed_cost_rate": 0.1}, SCALE, "costs_unknown", "cost of goods"),
        ({}, {"customers_count": 60}, "few_customers", "40 more mature customers"),
        ({}, {"p_margin_positive": None}, "no_customers", "opened_on"),
        ({"has_spend": False, "spend_amount": None, "window_start_date": dt.date(2025, 4, 3),
          "window_end_date": dt.date(2025, 1, 28)}, {"p_margin_positive": None}, "no_customers", "opened_on"),
    ],
)  # fmt: skip
def test_abstentions_say_what_is_missing(
    changes: dict[str, Any], found: dict[str, Any], code: str, missing: str
) -> None:
    row = one(changes, **found)
    assert (row["verdict"], row["label"]) == ("insufficient", "Insufficient")
    assert row["reason_codes"] == [code]
    assert len(row["reasons"]) == 1
    assert missing in row["missing"][0]
    assert f"Missing: {row['missing'][0]}." in row["reasons"][0]
    worth = row["worth_amount"]
    assert row["reasons"][0].endswith(f"Knowing the margin is worth: {money(worth, 'EUR')}.")
    assert (worth is None) == row["reasons"][0].endswith("not available.")


def test_few_customers_suffice_where_the_interval_leaves_no_doubt() -> None:
    assert one(**{**KILL, "customers_count": 12})["verdict"] == "kill"


def test_a_free_channel_needs_no_spend_and_never_gets_a_budget() -> None:
    free = {"is_paid": False, "has_spend": False, "spend_amount": None, "lever": "effort", "roas": None}
    row = one(free, {"orders": "A", "order_items": "A"}, **SCALE)
    assert row["verdict"] == "scale"
    assert "effort" in row["action"]
    assert "budget" in one(**SCALE)["action"]


def test_a_failed_table_is_named_and_a_grade_below_a_is_not_a_failure() -> None:
    assert one(None, {**GRADES, "refunds": "C"}, **SCALE)["verdict"] == "scale"
    failed = one(None, {**GRADES, "refunds": "D"}, **SCALE)
    assert failed["reason_codes"] == ["table_failed"]
    assert "refunds" in failed["missing"][0]


@pytest.mark.parametrize(
    ("scenario", "code"), [("unattributed_given", "unattributed_flips"), ("unknown_costs_free", "unknown_costs_flip")]
)
def test_what_nobody_knows_and_would_flip_the_verdict_makes_it_abstain(scenario: str, code: str) -> None:
    bound = posterior(scenario=scenario, **SCALE, expected_margin_amount=4_000.0)
    row = judge([unit()], [posterior(**KILL), bound])[0]
    assert row["verdict"] == "insufficient"
    assert row["reason_codes"] == [code]
    assert "Kill" in row["reasons"][0]
    assert "Scale" in row["reasons"][0]
    assert row["worth_amount"] > one(**KILL)["worth_amount"]


def test_worth_of_knowing_is_that_of_the_margin() -> None:
    row = one(expected_margin_amount=1.0, margin_deviation_amount=5.0)
    assert row["worth_amount"] == pytest.approx(1.53447, abs=1e-5)


def test_unassigned_and_guests_are_shown_and_never_judged() -> None:
    names = ("Unassigned", "Guests")
    rows = judge([unit(name, is_paid=False) for name in names], [posterior(name, **SCALE) for name in names])
    assert [(row["verdict"], row["label"], row["is_judged"]) for row in rows] == [(None, "Not judged", False)] * 2
    assert all(row["margin_amount"] == 900 for row in rows)


def test_too_few_customers_to_tell_the_repeat_rate_allow_kill_and_never_scale() -> None:
    few = {"repeat_customers_count": 29}
    assert one(**{**SCALE, **few})["verdict"] == "fix"
    assert one(**{**SCALE, **few})["reason_codes"][0] == "repeat_unknown", "no cost is what keeps it from more"
    assert one(**{**KILL, **few, "p_repeat_above_rest": 0.99})["verdict"] == "kill"


def test_a_lone_unit_passes_the_repeat_leg() -> None:
    lone = {"rest_repeat_rate": None, "p_repeat_above_rest": 1.0, "repeat_customers_count": 5}
    assert one(**{**SCALE, **lone})["verdict"] == "scale"


def test_reasons_of_fix_come_in_order_of_money_each_with_its_amount() -> None:
    costly = unit(shipping_cost_amount=2_000.0, refund_amount=1_300.0, funnel_worst_step="add_to_cart",
                  funnel_loss_amount=5_000.0)  # fmt: skip
    found = {"estimated_repeat_rate": 0.10, "p_repeat_above_rest": 0.01, "expected_margin_amount": 100.0}
    rest = [unit("Email", spend_amount=800.0), unit("Social")]
    row = judge([costly, *rest], [posterior(**found), posterior("Email"), posterior("Social")])[0]
    assert row["verdict"] == "fix"
    amounts = dict(zip(row["reason_codes"], row["reason_amounts"], strict=True))
    assert row["reason_amounts"] == sorted(row["reason_amounts"], reverse=True)
    assert amounts["funnel_loss"] == 5_000
    assert amounts["shipping_cost_high"] == pytest.approx(1_500)
    assert amounts["refund_high"] == pytest.approx(1_300 - 11_300 * 300 / 10_300)
    refunds = row["reasons"][row["reason_codes"].index("refund_high")]
    assert f"{rate(1_300 / 11_300)} of its net revenue before refunds" in refunds  # the refund rate of the memo
    assert amounts["repeat_low"] == pytest.approx(0.15 * 400 * 1_900 / 500)
    assert amounts["spend_high"] == pytest.approx(100)
    assert amounts["margin_uncertain"] == pytest.approx(row["worth_amount"])
    assert "€1,500 more" in row["reasons"][row["reason_codes"].index("shipping_cost_high")]


def test_every_fix_has_a_reason() -> None:
    for margin in (0.0, 0.05, 0.5, 0.95):
        for repeat, judged in ((0.1, 400), (0.9, 400), (0.9, 3)):
            row = one(p_margin_positive=margin, p_repeat_above_rest=repeat, repeat_customers_count=judged)
            assert row["reasons"], (margin, repeat, judged)
            assert len(row["reasons"]) == len(row["reason_codes"]) == len(row["reason_amounts"])


def test_a_burning_unit_with_loyal_customers_is_mended_not_killed() -> None:
    row = one(**{**KILL, "p_repeat_above_rest": 0.9})
    assert row["verdict"] == "fix"
    amounts = dict(zip(row["reason_codes"], row["reason_amounts"], strict=True))
    assert amounts["margin_negative"] == pytest.approx(880)


def test_units_named_together_are_cut_to_the_false_discovery_rate() -> None:
    settings = DecisionSettings(scale_probability=0.6)
    chances = {"A": 0.99, "B": 0.95, "C": 0.62}
    rows = judge([unit(name) for name in chances],
                 [posterior(name, **{**SCALE, "p_margin_positive": chance}) for name, chance in chances.items()],
                 settings=settings)  # fmt: skip
    assert [row["verdict"] for row in rows] == ["scale", "scale", "fix"]
    assert rows[2]["reason_codes"][0] == "margin_uncertain"
    alone = judge([unit("C")], [posterior("C", **{**SCALE, "p_margin_positive": 0.95})], settings=settings)
    assert alone[0]["verdict"] == "scale"


def test_good_looking_losers_are_listed_largest_loss_first() -> None:
    lucky = {"roas": 3.0}
    units = [unit("Rising", previous_net_revenue_amount=8_000.0), unit("Plain"), unit("Display", **lucky),
             unit("Earns", **lucky), unit("Unassigned", **lucky)]  # fmt: skip
    found = [posterior("Rising", **KILL), posterior("Plain", **KILL),
             posterior("Display", **{**KILL, "expected_margin_amount": -5_000.0}),
             posterior("Earns", p_margin_positive=0.21), posterior("Unassigned", **KILL)]  # fmt: skip
    listed = looks_good_loses_money(pa.Table.from_pylist(judge(units, found)), SETTINGS).to_pylist()
    assert [(row["unit_id"], row["looks"]) for row in listed] == [
        ("Display", "ROAS is above target"), ("Rising", "revenue rises"),
    ]  # fmt: skip


def test_a_unit_without_a_mart_history_is_no_riser() -> None:
    row = judge([unit(previous_net_revenue_amount=None, roas=None)], [posterior(**KILL)])
    schema = pa.Table.from_pylist(judge([unit()], [posterior(**KILL)])).schema
    assert looks_good_loses_money(pa.Table.from_pylist(row, schema=schema), SETTINGS).num_rows == 0


SHAKY = {"p_margin_positive": 0.70, "p_repeat_above_rest": 0.45}
SEARCH = ("main", "channel", "Search")


def after(previous: str | None, *rows: dict[str, Any], **settings: float) -> dict[str, Any]:
    before = {} if previous is None else {SEARCH: previous}
    return judge([unit()], list(rows), settings=DecisionSettings(**settings), previous=before)[0]


def test_a_verdict_stands_until_the_evidence_has_clearly_left_it_and_says_so() -> None:
    row = after("scale", posterior(**SHAKY))
    assert (row["verdict"], row["fresh_verdict"], row["is_held"], row["previous_verdict"]) == (
        "scale", "fix", True, "scale",
    )  # fmt: skip
    assert row["label"] == "Scale (test)"
    assert row["reason_codes"][0] == "verdict_held"
    assert f"below {SETTINGS.scale_leave_probability:.0%}" in row["reasons"][0]
    assert f"below {SETTINGS.scale_leave_repeat_probability:.0%}" in row["reasons"][0]
    assert "margin_uncertain" in row["reason_codes"]
    killed = after("kill", posterior(p_margin_positive=0.30, p_repeat_above_rest=0.5))
    assert (killed["verdict"], killed["is_held"]) == ("kill", True)
    assert f"above {SETTINGS.kill_leave_probability:.0%}" in killed["reasons"][0]
    assert after("scale", posterior(**SHAKY), scale_leave_probability=0.8)["verdict"] == "fix"


@pytest.mark.parametrize("previous", [None, "fix", "insufficient", "kill"])
def test_only_the_same_verdict_is_held(previous: str | None) -> None:
    row = after(previous, posterior(**SHAKY))
    assert (row["verdict"], row["is_held"]) == ("fix", False)


def test_evidence_for_the_opposite_is_not_held_off() -> None:
    assert after("scale", posterior(**KILL))["verdict"] == "kill"
    assert after("kill", posterior(**SCALE))["verdict"] == "scale"


def test_insufficient_comes_before_a_standing_verdict() -> None:
    row = after("scale", posterior(**{**SHAKY, "customers_count": 10}))
    assert (row["verdict"], row["fresh_verdict"], row["is_held"]) == ("insufficient", "insufficient", False)


def test_unattributed_orders_must_leave_the_standing_verdict_to_flip_it() -> None:
    """With a Scale before, 70 % and 95 % are both Scale: the unattributed orders decide nothing."""
    given = posterior(scenario="unattributed_given", p_margin_positive=0.95, p_repeat_above_rest=0.9)
    row = after("scale", posterior(**SHAKY), given)
    assert (row["verdict"], row["unattributed_given_verdict"]) == ("scale", "scale")
    assert after("fix", posterior(**SHAKY), given)["verdict"] == "insufficient"


def test_a_standing_verdict_is_not_cut_by_the_company_it_keeps() -> None:
    settings = DecisionSettings(scale_probability=0.6)
    chances = {"Search": 0.62, "A": 0.99, "B": 0.95}
    found = [posterior(name, **{**SCALE, "p_margin_positive": chance}) for name, chance in chances.items()]
    rows = judge([unit(name) for name in chances], found, settings=settings, previous={SEARCH: "scale"})
    assert [row["verdict"] for row in rows] == ["scale", "scale", "scale"]
    assert [row["is_held"] for row in rows] == [True, False, False]
