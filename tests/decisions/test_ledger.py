from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pyarrow as pa

from marginwise.decisions.causes import Cause
from marginwise.decisions.ledger import Ledger, next_ledger, standing_verdicts
from tests.decisions.judged_rows import judge, posterior, unit

AUGUST, SEPTEMBER, OCTOBER = dt.date(2025, 8, 31), dt.date(2025, 9, 30), dt.date(2025, 10, 31)
SCALE = {"p_margin_positive": 0.97, "p_repeat_above_rest": 0.95}
BETWEEN = {"p_margin_positive": 0.70, "p_repeat_above_rest": 0.45, "margin_amount": 400.0}
LOST = {"p_margin_positive": 0.55, "p_repeat_above_rest": 0.95}
KILL = {"p_margin_positive": 0.01, "p_repeat_above_rest": 0.1, "margin_low_amount": -900.0, "margin_high_amount": -1.0}
NEW_DATA = [Cause("new data", ("the as-of day moved",))]
LATE_DATA = [Cause("late data", ("orders: 1 row added",))]


def verdicts(day: dt.date, history: pa.Table | None = None, **units: dict[str, Any]) -> pa.Table:
    rows = [unit(name, as_of_date=day, horizon_days=90, net_revenue_amount=Decimal(10_000)) for name in units]
    found = [posterior(name, **changes) for name, changes in units.items()]
    previous = standing_verdicts(history, pa.Table.from_pylist(rows)) if history is not None else None
    return pa.Table.from_pylist(judge(rows, found, previous=previous))


def identity(day: dt.date, inputs: str = "a", settings: str = "s") -> dict[str, Any]:
    return {"as_of_date": str(day), "inputs": [{"file": inputs}], "settings": settings, "code": "c", "version": "1"}


def publish(
    ledger: Ledger,
    day: dt.date,
    causes: list[Cause] = NEW_DATA,
    *,
    inputs: str = "a",
    settings: str = "s",
    **units: dict[str, Any],
) -> Ledger:
    """Do what a run does: judge from the published history, carry the ledger, publish it with its manifest."""
    told = identity(day, inputs, settings)
    carried = next_ledger(ledger, verdicts(day, ledger.history, **units), told, causes)
    return replace(carried, manifest={**told, "manifest_id": f"{day} {inputs} {settings}"})


def given(ledger: Ledger) -> dict[tuple[str, str], str]:
    return {(str(row["as_of_date"]), row["unit_id"]): row["verdict"] for row in ledger.history.to_pylist()}


def test_the_first_memo_changes_nothing() -> None:
    first = publish(Ledger(), AUGUST, Search=SCALE, Email=KILL)
    assert first.memos.num_rows == 1
    assert first.memos.to_pylist()[0]["causes"] == []
    assert first.changes.num_rows == first.movements.num_rows == 0
    assert given(first) == {("2025-08-31", "Search"): "scale", ("2025-08-31", "Email"): "kill"}


def test_a_verdict_stands_from_one_published_day_to_the_next_and_then_falls() -> None:
    second = publish(publish(Ledger(), AUGUST, Search=SCALE), SEPTEMBER, Search=BETWEEN)
    assert given(second)["2025-09-30", "Search"] == "scale"
    assert second.history.to_pylist()[-1]["is_held"]
    assert second.changes.num_rows == 0
    moved = second.movements.to_pylist()[0]
    assert (moved["previous_margin_amount"], moved["margin_amount"], moved["margin_change_amount"]) == (900, 400, -500)
    third = publish(second, OCTOBER, Search=LOST)
    assert given(third)["2025-10-31", "Search"] == "fix"
    change = third.changes.to_pylist()[0]
    assert (change["previous_verdict"], change["verdict"], change["memo_number"]) == ("scale", "fix", 3)
    assert (change["causes"], change["cause_details"]) == (["new data"], ["the as-of day moved"])
    assert publish(Ledger(), SEPTEMBER, Search=BETWEEN).history.to_pylist()[0]["verdict"] == "fix"


def test_publishing_the_same_again_changes_nothing() -> None:
    second = publish(publish(Ledger(), AUGUST, Search=SCALE), SEPTEMBER, Search=LOST)
    again = publish(second, SEPTEMBER, Search=LOST)
    assert again.tables() == second.tables()


def test_the_same_day_published_again_starts_from_the_same_standing_verdict() -> None:
    """A run of the same day must not hold on to its own earlier answer."""
    august = publish(Ledger(), AUGUST, Search=LOST)
    september = publish(august, SEPTEMBER, Search=SCALE)
    assert given(september)["2025-09-30", "Search"] == "scale"
    mended = publish(september, SEPTEMBER, LATE_DATA, inputs="b", Search=BETWEEN)
    assert given(mended)["2025-09-30", "Search"] == "fix"
    assert mended.history.num_rows == 2
    assert [row["causes"] for row in mended.changes.to_pylist()] == [["new data"], ["late data"]]
    assert mended.memos["previous_manifest_id"].to_pylist() == [None, "2025-08-31 a s", "2025-09-30 a s"]


def test_going_back_keeps_the_later_day_and_compares_with_what_was_published_last() -> None:
    september = publish(publish(Ledger(), AUGUST, Search=SCALE), SEPTEMBER, Search=LOST)
    back = publish(september, AUGUST, settings="t", Search=KILL)
    assert given(back) == {("2025-08-31", "Search"): "kill", ("2025-09-30", "Search"): "fix"}
    assert [row["previous_verdict"] for row in back.changes.to_pylist()] == ["scale", "fix"]


def test_units_that_come_and_go_are_told() -> None:
    second = publish(publish(Ledger(), AUGUST, Search=SCALE), SEPTEMBER, Email=SCALE)
    told = {row["unit_id"]: (row["previous_verdict"], row["verdict"]) for row in second.changes.to_pylist()}
    assert told == {"Email": (None, "scale"), "Search": ("scale", None)}


def test_what_is_not_judged_never_changes_its_verdict() -> None:
    second = publish(publish(Ledger(), AUGUST, Unassigned=SCALE), SEPTEMBER, Unassigned=KILL)
    assert second.changes.num_rows == 0
    assert second.movements.num_rows == 1


def test_a_margin_that_cannot_be_told_does_not_move() -> None:
    first = next_ledger(Ledger(), verdicts(AUGUST, Search=SCALE), identity(AUGUST), [])
    rows = [{**row, "has_spend": False} for row in verdicts(SEPTEMBER, Search=SCALE).to_pylist()]
    second = next_ledger(first, pa.Table.from_pylist(rows), identity(SEPTEMBER), NEW_DATA)
    moved = second.movements.to_pylist()[0]
    assert (moved["previous_margin_amount"], moved["margin_amount"], moved["margin_change_amount"]) == (900, None, None)


def test_a_difference_that_nothing_declares_is_still_a_new_memo() -> None:
    first = publish(Ledger(), AUGUST, Search=SCALE)
    second = publish(first, AUGUST, [Cause("model", ("libraries",))], Search=KILL)
    assert second.memos.num_rows == 2
    assert second.changes.to_pylist()[0]["causes"] == ["model"]


def test_each_store_has_its_own_last_day() -> None:
    days = [("a", "scale", AUGUST), ("a", "kill", SEPTEMBER), ("b", "fix", AUGUST), ("b", None, AUGUST)]
    rows = [{"store_id": store, "unit_kind": "channel", "unit_id": verdict or "Guests", "verdict": verdict,
             "as_of_date": day} for store, verdict, day in days]  # fmt: skip
    now = [{"store_id": "a", "as_of_date": OCTOBER}, {"store_id": "b", "as_of_date": SEPTEMBER},
           {"store_id": "c", "as_of_date": None}]  # fmt: skip
    found = standing_verdicts(pa.Table.from_pylist(rows), pa.Table.from_pylist(now))
    assert found == {("a", "channel", "kill"): "kill", ("b", "channel", "fix"): "fix"}


def test_a_unit_that_was_not_in_the_last_memo_starts_afresh() -> None:
    gone = publish(publish(Ledger(), AUGUST, Search=SCALE), SEPTEMBER, Email=SCALE)
    back = publish(gone, OCTOBER, Search=BETWEEN, Email=SCALE)
    assert given(back)["2025-10-31", "Search"] == "fix"
