"""The memo's account of itself: which verdicts and margins moved since the last memo, and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from marginwise.decisions.memo_tables import TableRow, TableView
from marginwise.decisions.number_format import (
    NO_BREAK,
    NOT_AVAILABLE,
    count,
    finite,
    money,
    money_decimals,
    probability,
)
from marginwise.decisions.table import Cell, label_of, plain, unit_name

__all__ = ["Changes", "changes_since_last"]

Row = Mapping[str, Any]
CHANGES_SHOWN = 25
MARGINS_SHOWN = 12
_HELD_NAMED = 8
_FIRST = "This is the first memo of this store, so there is nothing to compare it with."
_UNKNOWN = f"{NOT_AVAILABLE.capitalize()}: no ledger of earlier memos came with these numbers."
_LEGS = (("P(margin > 0)", "p_margin_positive"), ("P(repeat ≥ rest)", "p_repeat_above_rest"))


@dataclass(frozen=True)
class Changes:
    """What changed since the last memo, as text.

    Parameters
    ----------
    lead
        What moved in all, or that there is nothing to compare.
    causes
        Name and details of every cause that lies between the two memos.
    held
        Which verdicts stand only because they were given before; empty where there is none.
    verdicts
        The verdicts that changed.
    margins
        How the channels' contribution margin moved.
    """

    lead: str
    causes: tuple[tuple[str, str], ...] = ()
    held: str = ""
    verdicts: TableView | None = None
    margins: TableView | None = None


def changes_since_last(memos: Iterable[Row], movements: Sequence[Row], currency: str) -> Changes:
    """Return what changed since the last memo, and why.

    Parameters
    ----------
    memos
        Rows of ``decisions.memos``.
    movements
        Rows of ``decisions.movements``: every unit of the newest memo or the one before.
    currency
        ISO 4217 code of the amounts.

    Examples
    --------
    >>> changes_since_last([{"memo_number": 1}], [], "EUR").lead
    'This is the first memo of this store, so there is nothing to compare it with.'
    """
    known = sorted(memos, key=lambda memo: memo["memo_number"])
    if not known:
        return Changes(_UNKNOWN)
    if len(known) == 1:
        return Changes(_FIRST)
    changed = [row for row in movements if row.get("previous_verdict") != row.get("verdict")]
    moved = _moved_channels(movements)
    names = known[-1].get("causes") or []
    return Changes(
        lead=_lead(known[-1], movements, changed, currency),
        causes=tuple(
            (plain(name).capitalize(), plain(text))
            for name, text in zip(names, known[-1].get("cause_details") or [], strict=True)
        ),
        held=_held(movements),
        verdicts=_verdict_table(changed, currency) if changed else None,
        margins=_margin_table(moved, currency) if moved else None,
    )


def _lead(memo: Row, movements: Sequence[Row], changed: Sequence[Row], currency: str) -> str:
    before = f"the memo before, as of {_day(memo.get('previous_as_of_date'))}"
    judged = sum(1 for row in movements if row.get("previous_verdict") or row.get("verdict"))
    moved = [row for row in movements if row.get("previous_margin_amount") != row.get("margin_amount")]
    if not changed and not moved:
        return f"Nothing changed against {before}: every verdict and every margin is the same."
    channels = [row for row in movements if row.get("unit_kind") == "channel" and _change(row) is not None]
    then, now = (sum((_amount(row, name) for row in channels), Decimal(0))
                 for name in ("previous_margin_amount", "margin_amount"))  # fmt: skip
    verdicts = f"{count(len(changed))} of {count(judged)} verdicts changed" if changed else "No verdict changed"
    all_known = len(channels) == sum(row.get("unit_kind") == "channel" for row in movements)
    where = "" if all_known else ", where both memos can tell it,"
    margin = (f" The channels' contribution margin{where} went from {money(then, currency)} to {money(now, currency)}."
              if channels else "")  # fmt: skip
    return f"{verdicts} against {before}.{margin}{_split(memo)}"


def _split(memo: Row) -> str:
    """Say how much of the movement each cause explains: all of it where there is only one."""
    names = [plain(name) for name in memo.get("causes") or ()]
    if len(names) == 1:
        return f" All of it comes from one cause, {names[0]}."
    return " How much of it each cause explains is not told: that takes a run with one of them alone." if names else ""


def _held(movements: Iterable[Row]) -> str:
    names = [f"{unit_name(row)} ({str(row.get('verdict')).title()})" for row in movements if row.get("is_held")]
    if not names:
        return ""
    more = len(names) - _HELD_NAMED
    shown = ", ".join([*names[:_HELD_NAMED], *([f"{count(more)} more"] if more > 0 else [])])
    return f"These verdicts stand because they were given before and the evidence has not clearly left them: {shown}."


def _verdict_table(changed: Sequence[Row], currency: str) -> TableView:
    ordered = sorted(changed, key=lambda row: (row.get("unit_kind") != "channel", -abs(_change(row) or Decimal(0))))
    places = _places(ordered[:CHANGES_SHOWN], currency)
    rows = tuple(
        TableRow((
            Cell(unit_name(row), (plain(row.get("unit_kind") or "channel"),)),
            Cell(_verdict(row, "previous_verdict", "previous_label", "not in the memo before")),
            Cell(_verdict(row, "verdict", "label", "no longer in the data")),
            _legs(row),
            Cell(
                money(row.get("margin_amount"), currency, places),
                (f"before: {money(row.get('previous_margin_amount'), currency, places)}",),
            ),
        ))
        for row in ordered[:CHANGES_SHOWN]
    )  # fmt: skip
    left_out = len(changed) - len(rows)
    return TableView(
        "Verdicts that changed",
        ("Unit", "Before", "Now", "Evidence, before and now", "Contribution margin"),
        (False, False, False, False, True),
        rows,
        f"{count(left_out)} more are in the table decisions.changes." if left_out else "",
    )


def _legs(row: Row) -> Cell:
    """Return the probabilities of the rule, the one that moved most first; what was lacking where one abstained."""
    for when, verdict, reason in (("before", "previous_verdict", "previous_reason"), ("now", "verdict", "reason")):
        if row.get(verdict) == "insufficient" and row.get(reason):
            return Cell(f"{when}: {plain(row[reason])}")
    told = []
    for words, name in _LEGS:
        then, now = finite(row.get(f"previous_{name}")), finite(row.get(name))
        if then is not None and now is not None:
            arrow = f"{words.replace(' ', NO_BREAK)} {probability(then)}{NO_BREAK}→{NO_BREAK}{probability(now)}"
            told.append((-abs(now - then), arrow))
    texts = [text for _, text in sorted(told)]
    return Cell(texts[0], tuple(texts[1:])) if texts else Cell(NOT_AVAILABLE)


def _margin_table(moved: Sequence[Row], currency: str) -> TableView:
    places = _places(moved, currency)
    rows = tuple(
        TableRow((
            Cell(unit_name(row)), Cell(money(row.get("previous_margin_amount"), currency, places)),
            Cell(money(row.get("margin_amount"), currency, places)), Cell(_signed(_change(row), currency, places)),
        ))
        for row in moved[:MARGINS_SHOWN]
    )  # fmt: skip
    note = "Each memo counts the customers of its own window, so a later window moves margins too."
    if len(moved) > len(rows):
        note = f"{count(len(moved) - len(rows))} more are in the table decisions.movements. {note}"
    return TableView("Contribution margin of the channels, largest movement first",
                     ("Channel", "Before", "Now", "Movement"), (False, True, True, True), rows, note,
                     is_compact=True)  # fmt: skip


def _moved_channels(movements: Iterable[Row]) -> list[Row]:
    channels = [row for row in movements if row.get("unit_kind") == "channel" and _change(row)]
    return sorted(channels, key=lambda row: (-abs(_change(row) or Decimal(0)), unit_name(row)))


def _verdict(row: Row, verdict: str, label: str, absent: str) -> str:
    return label_of({"verdict": row[verdict], "label": row.get(label)}) if row.get(verdict) else absent


def _signed(amount: Decimal | None, currency: str, places: int) -> str:
    text = money(amount, currency, places)
    return f"+{text}" if amount is not None and amount > 0 else text


def _change(row: Row) -> Decimal | None:
    return finite(row.get("margin_change_amount"))


def _amount(row: Row, name: str) -> Decimal:
    return finite(row.get(name)) or Decimal(0)


def _places(rows: Sequence[Row], currency: str) -> int:
    names = ("previous_margin_amount", "margin_amount", "margin_change_amount")
    return money_decimals((row.get(name) for row in rows for name in names), currency)


def _day(day: object) -> str:
    return f"{day.day} {day:%B %Y}" if isinstance(day, dt.date) else "an unknown day"
