from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import pyarrow as pa
import pytest

from marginwise.decisions.robustness import Assumptions, robustness, turned_by, with_robustness
from marginwise.decisions.verdict import verdicts
from marginwise.settings import DecisionSettings
from tests.decisions.judged_rows import GRADES, posterior, unit

SETTINGS = DecisionSettings()
OWN = Assumptions("first", 90, 1.0)
ALL = [Assumptions(*each) for each in product(("first", "last"), (30, 90, 180), (0.8, 1.0, 1.2))]
SCALE = {"p_margin_positive": 0.97, "margin_low_amount": 100.0, "margin_high_amount": 1_900.0}
UNSURE = {"p_margin_positive": 0.5, "margin_low_amount": -900.0, "margin_high_amount": 900.0}
Changes = dict[str, Any]


def judged(
    *names: str, unit_changes: Changes | None = None, settings: DecisionSettings = SETTINGS, **found: Any
) -> pa.Table:
    rows = [posterior(name, scenario, **found) for name in names for scenario in ("base", "unattributed_given",
                                                                                  "unknown_costs_free")]  # fmt: skip
    units = pa.Table.from_pylist([unit(name, **(unit_changes or {})) for name in names])
    return verdicts(units, pa.Table.from_pylist(rows), graded(), settings, "EUR")


def graded() -> pa.Table:
    return pa.table({"table_name": list(GRADES), "is_present": [True] * 3, "grade": list(GRADES.values())})


def varied(name: str, change: Callable[[Assumptions], Changes]) -> list[Changes]:
    """Return a unit's variants: Scale in all, by last touch with one customer less, but for what a test changes."""
    rows = []
    for assumed in ALL:
        other = {"customers_count": 399} if assumed.touch_rule == "last" else {}
        row = {**posterior(name, **SCALE), **assumed._asdict(), **other, **change(assumed)}
        rows.append({column: value for column, value in row.items() if column != "scenario"})
    return rows


def told(
    rows: pa.Table,
    variants: list[Changes],
    settings: DecisionSettings = SETTINGS,
    previous: dict[tuple[str, str, str], str] | None = None,
) -> list[Changes]:
    found = robustness(rows, pa.Table.from_pylist(variants), graded(), settings, previous)
    result: list[Changes] = with_robustness(rows, found, settings).to_pylist()
    return result


def test_a_verdict_that_nothing_turns_holds_everywhere() -> None:
    row = told(judged("Search", **SCALE), varied("Search", lambda _: {}))[0]
    assert (row["variants_count"], row["variants_held_count"], row["flipped_by"]) == (18, 18, None)
    assert row["evidence_grade"] == "all attribution models agree"


@pytest.mark.parametrize(
    ("turns", "held", "cause"),
    [
        (lambda assumed: assumed.cost_rate == 1.2, 12, "costs 20% higher"),
        (lambda assumed: assumed.horizon_days == 30, 12, "30 days"),
        (lambda assumed: assumed.touch_rule == "last", 9, "last touch"),
        (lambda assumed: assumed.cost_rate == 1.2 and assumed.touch_rule == "last", 15,
         "last touch and costs 20% higher"),
        (lambda assumed: assumed == Assumptions("last", 180, 1.2), 17, "last touch, 180 days and costs 20% higher"),
        (lambda assumed: assumed.cost_rate == 1.2 or assumed == Assumptions("first", 30, 1.0), 11, "costs 20% higher"),
    ],
)  # fmt: skip
def test_what_turns_it_is_named(turns: Callable[[Assumptions], bool], held: int, cause: str) -> None:
    variants = varied("Search", lambda assumed: UNSURE if turns(assumed) else {})
    row = told(judged("Search", **SCALE), variants)[0]
    assert (row["variants_count"], row["variants_held_count"], row["flipped_by"]) == (18, held, cause)


def test_the_grade_rises_only_where_both_touch_rules_say_the_same_as_things_are() -> None:
    at_last = varied("Search", lambda assumed: UNSURE if assumed == Assumptions("last", 90, 1.0) else {})
    assert told(judged("Search", **SCALE), at_last)[0]["evidence_grade"] == "one model only"
    elsewhere = varied("Search", lambda assumed: UNSURE if assumed == Assumptions("last", 30, 1.2) else {})
    assert told(judged("Search", **SCALE), elsewhere)[0]["evidence_grade"] == "all attribution models agree"


def test_touch_rules_that_cannot_differ_agree_about_nothing() -> None:
    """Where every customer is known by one touch, first and last touch are one model."""
    row = told(judged("Search", **SCALE), varied("Search", lambda _: {"customers_count": 400}))[0]
    assert row["variants_held_count"] == 18
    assert row["evidence_grade"] == "one model only"


def test_variants_without_enough_customers_speak_neither_for_nor_against() -> None:
    few = varied("Search", lambda assumed: {**UNSURE, "customers_count": 20} if assumed.horizon_days == 180 else {})
    row = told(judged("Search", **SCALE), few)[0]
    assert (row["variants_count"], row["variants_held_count"], row["flipped_by"]) == (12, 12, None)
    none = varied("Search", lambda assumed: {"p_margin_positive": None} if assumed.horizon_days == 180 else {})
    assert told(judged("Search", **SCALE), none)[0]["variants_count"] == 12


def test_the_verdict_itself_is_one_of_its_variants() -> None:
    """Its numbers come from more draws than the variants'; they are not asked again."""
    rows = judged("Search", **SCALE)
    off = varied("Search", lambda assumed: UNSURE if assumed == OWN else {})
    found = robustness(rows, pa.Table.from_pylist(off), graded(), SETTINGS).to_pylist()
    own = [row for row in found if Assumptions.of(row) == OWN]
    assert [(row["verdict"], row["p_margin_positive"]) for row in own] == [("scale", 0.97)]
    assert told(rows, off)[0]["variants_held_count"] == 18


def test_an_abstention_has_nothing_to_hold() -> None:
    rows = judged("Search", unit_changes={"known_cost_rate": 0.1}, **SCALE)
    row = told(rows, varied("Search", lambda _: {}))[0]
    assert row["verdict"] == "insufficient"
    assert (row["variants_count"], row["variants_held_count"], row["flipped_by"]) == (None, None, None)
    assert row["evidence_grade"] == "one model only"


def test_units_that_are_not_varied_or_not_judged_have_no_count() -> None:
    rows = judged("Unassigned", **SCALE)
    assert robustness(rows, pa.Table.from_pylist(varied("Unassigned", lambda _: {})), graded(), SETTINGS).num_rows == 0
    row = told(judged("Tea", **SCALE), varied("Other", lambda _: {}))[0]
    assert (row["variants_count"], row["evidence_grade"]) == (None, "one model only")


def test_variants_are_cut_together_like_the_verdicts_themselves() -> None:
    settings = DecisionSettings(scale_probability=0.6, scale_false_discovery=0.1)
    weak = {**SCALE, "p_margin_positive": 0.65}
    alone = varied("Search", lambda assumed: {} if assumed == OWN else weak)
    assert told(judged("Search", settings=settings, **SCALE), alone, settings)[0]["variants_held_count"] == 1
    sure = {**SCALE, "p_margin_positive": 0.999}
    many = [varied(name, lambda _: sure) for name in ("A", "B", "C", "D")]
    rows = told(
        judged("Search", "A", "B", "C", "D", settings=settings, **SCALE),
        alone + [row for rows in many for row in rows],
        settings,
    )
    assert {row["unit_id"]: row["variants_held_count"] for row in rows}["Search"] == 18


def test_a_standing_verdict_stands_in_its_variants_too() -> None:
    fresh = judged("Search", **SCALE)
    variants = varied("Search", lambda assumed: {"p_margin_positive": 0.7} if assumed.cost_rate == 1.2 else {})
    assert told(fresh, variants)[0]["variants_held_count"] == 12
    before = {("main", "channel", "Search"): "scale"}
    assert told(fresh, variants, previous=before)[0]["variants_held_count"] == 18


def test_of_two_causes_the_one_that_turns_the_larger_share_is_told() -> None:
    found = dict.fromkeys(ALL, "scale")
    for assumed in ALL:
        if assumed.cost_rate == 0.8 or (assumed.touch_rule == "last" and assumed.horizon_days == 90):
            found[assumed] = "fix"
    assert turned_by(found, OWN) == "costs 20% lower"
    assert turned_by({OWN: "kill"}, OWN) is None
