from __future__ import annotations

import datetime as dt
from typing import Any

from marginwise.decisions.memo import render_memo
from marginwise.decisions.memo_answer import answer
from marginwise.decisions.memo_changes import changes_since_last
from tests.decisions.memo_sample import full_facts

FIRST = {"memo_number": 1, "as_of_date": dt.date(2026, 8, 31), "causes": [], "cause_details": []}
SECOND = {
    "memo_number": 2, "as_of_date": dt.date(2026, 11, 19), "previous_as_of_date": dt.date(2026, 8, 31),
    "causes": ["new data", "late data"], "cause_details": ["the as-of day moved", "orders: 3 rows added"],
}  # fmt: skip


def moved(name: str, before: float | None, now: float | None, **known: Any) -> dict[str, Any]:
    change = None if before is None or now is None else now - before
    return {
        "store_id": "main", "unit_kind": "channel", "unit_id": name, "unit_name": name, "previous_verdict": "fix",
        "verdict": "fix", "previous_label": "Fix", "label": "Fix", "previous_margin_amount": before,
        "margin_amount": now, "margin_change_amount": change, "previous_p_margin_positive": 0.8,
        "p_margin_positive": 0.8, "previous_p_repeat_above_rest": 0.61, "p_repeat_above_rest": 0.18, **known,
    }  # fmt: skip


def words(**facts: Any) -> str:
    memo = render_memo(full_facts(**facts))
    section = memo.markdown.split("## What changed since the last memo, and why")[1].split("\n## ")[0]
    assert "What changed since the last memo, and why" in memo.html
    return section


def test_the_first_memo_says_so() -> None:
    assert "This is the first memo of this store" in words(memos=[FIRST])
    assert "Not available" in words()


def test_nothing_changed_is_said_plainly_with_what_differs_between_the_two() -> None:
    text = words(memos=[FIRST, SECOND], movements=[moved("Email", 900.0, 900.0)])
    assert "Nothing changed against the memo before, as of 31 August 2026" in text
    assert "- **New data**: the as-of day moved\n- **Late data**: orders: 3 rows added" in text
    assert "|" not in text


def test_changes_and_movements_are_told_in_money_with_the_leg_that_moved_first() -> None:
    rows = [
        moved("Email", 900.0, 400.0, previous_verdict="scale", previous_label="Scale (test)"),
        moved("Search", 100.0, 1_200.0),
        moved("Direct", 100.0, 100.0),
        moved("Display", None, 50.0, previous_verdict="insufficient", previous_label="Insufficient", previous_reason="Only 40 mature customers.",
              verdict="kill", label="Kill candidate: run a holdout"),
    ]  # fmt: skip
    told = changes_since_last([FIRST, SECOND], rows, "EUR")
    assert told.lead == (
        "2 of 4 verdicts changed against the memo before, as of 31 August 2026."
        " The channels' contribution margin, where both memos can tell it, went from €1,100 to €1,700."
        " How much of it each cause explains is not told: that takes a run with one of them alone."
    )
    alone = {**SECOND, "causes": ["cost"], "cause_details": ["product_costs: 3 rows changed"]}
    assert changes_since_last([FIRST, alone], rows, "EUR").lead.endswith(" All of it comes from one cause, cost.")
    assert told.verdicts is not None
    assert [[cell.main for cell in row.cells] for row in told.verdicts.rows] == [
        ["Email", "Scale (test)", "Fix", "P(repeat\xa0≥\xa0rest) 61%\xa0→\xa018%", "€400"],
        ["Display", "Insufficient", "Kill candidate: run a holdout", "before: Only 40 mature customers.", "€50"],
    ]
    assert told.margins is not None
    assert [[cell.main for cell in row.cells] for row in told.margins.rows] == [
        ["Search", "€100", "€1,200", "+€1,100"], ["Email", "€900", "€400", "−€500"],
    ]  # fmt: skip


def test_units_that_came_or_went_are_told_and_names_from_the_data_stay_text() -> None:
    rows = [moved("<b>New|One", None, 5.0, previous_verdict=None), moved("Gone", 5.0, None, verdict=None)]
    memo = render_memo(full_facts(memos=[FIRST, SECOND], movements=rows))
    assert "not in the memo before" in memo.html
    assert "no longer in the data" in memo.html
    assert "<b>New" not in memo.html
    assert "&lt;b&gt;New\\|One" in memo.markdown


def test_verdicts_that_only_stand_are_named() -> None:
    rows = [moved("Email", 1.0, 1.0, previous_verdict="scale", verdict="scale", is_held=True)]
    told = changes_since_last([FIRST, SECOND], rows, "EUR")
    assert told.held.endswith("not clearly left them: Email (Scale).")
    assert told.verdicts is None


def test_long_lists_say_what_they_leave_out() -> None:
    rows = [moved(f"Channel {number}", 0.0, float(number + 1), verdict="scale") for number in range(40)]
    told = changes_since_last([FIRST, SECOND], rows, "EUR")
    assert told.verdicts is not None
    assert told.margins is not None
    assert told.verdicts.note == "15 more are in the table decisions.changes."
    assert told.margins.note.startswith("28 more are in the table decisions.movements.")


def test_the_answer_claims_no_more_for_a_verdict_that_only_stands() -> None:
    rows = [
        {"unit_name": "Email", "verdict": "scale", "is_held": True},
        {"unit_name": "Search", "verdict": "scale", "is_held": False},
        {"unit_name": "Display", "verdict": "kill", "is_held": True},
    ]
    earns, burns = answer(rows, 90)
    assert "Search earns more than it costs" in earns
    assert "Email has not clearly lost the margin shown before" in earns
    assert burns == "Display has not clearly left the loss shown before."
