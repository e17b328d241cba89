"""The memo's tables behind the decision: evidence, reasons, bridge, grades, coverage, as text for both formats."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Any

from marginwise.decisions.memo_charts import IntervalBar, WaterfallStep
from marginwise.decisions.number_format import (
    NO_BREAK,
    NOT_AVAILABLE,
    count,
    finite,
    minor_unit,
    money,
    money_range,
    probability,
    rate,
)
from marginwise.decisions.table import (
    Cell,
    has_margin,
    label_of,
    lacks_spend,
    own_name,
    plain,
    ranked,
    unit_name,
    verdict_of,
)

__all__ = [
    "Reasons",
    "TableRow",
    "TableView",
    "bridge_tables",
    "bridge_waterfall",
    "coverage_table",
    "evidence_table",
    "finding_table",
    "good_looking_table",
    "grade_table",
    "interval_bars",
    "reason_list",
    "resolve_table",
]

Row = Mapping[str, Any]

REASONS_SHOWN = 5
ABSTENTIONS_SHOWN = 15
GOOD_LOOKING_SHOWN = 25
_SHOWN_ONLY = {
    "Unassigned": "Nobody knows which channel brought these customers. They are shown so that the table adds up.",
    "Guests": "These orders name no customer, so nobody can be followed. They are shown so that the table adds up.",
}


@dataclass(frozen=True)
class TableRow:
    """One row as text; ``tone`` marks a total, a memo line or a verdict."""

    cells: tuple[Cell, ...]
    tone: str = ""


@dataclass(frozen=True)
class TableView:
    """A table as text: caption, headers, which columns hold numbers, rows, a note; compact fits a phone as it is."""

    caption: str
    headers: tuple[str, ...]
    numeric: tuple[bool, ...]
    rows: tuple[TableRow, ...]
    note: str = ""
    is_compact: bool = False


@dataclass(frozen=True)
class Reasons:
    """Why a unit got its verdict, largest first, what to do about it, and what would turn it."""

    unit: str
    verdict: str
    label: str
    reasons: tuple[str, ...]
    smaller_count: int
    action: str
    bounds: str


def sentences(value: object) -> tuple[str, ...]:
    """Return reasons as single lines, from a list or from text with one reason per line.

    >>> sentences(["a", "b"]), sentences("a"), sentences(None)
    (('a', 'b'), ('a',), ())
    """
    if value is None:
        return ()
    parts = str(value).splitlines() if isinstance(value, str) else [str(part) for part in iter_values(value)]
    return tuple(text for text in map(plain, parts) if text)


def iter_values(value: object) -> Iterator[object]:
    """Yield the members of a list, or the value itself."""
    if isinstance(value, Iterable):
        yield from value
    else:
        yield value


def reason_list(channels: Iterable[Row]) -> list[Reasons]:
    """Return every channel's reasons in the order of the decision table."""
    return [_reasons(row) for row in ranked(channels)]


def interval_bars(channels: Iterable[Row]) -> list[IntervalBar]:
    """Return the channels whose margin and interval are known, for the interval chart."""
    bars = []
    for row in ranked(channels):
        amount, low, high = (finite(row.get(f"margin{part}_amount")) for part in ("", "_low", "_high"))
        if amount is not None and low is not None and high is not None and has_margin(row):
            bars.append(IntervalBar(unit_name(row), amount, low, high, verdict_of(row)))
    return bars


def evidence_table(channels: Iterable[Row], currency: str) -> TableView:
    """Return what the verdicts rest on, one row per channel."""
    rows = []
    for row in ranked(channels):
        per_customer = finite(row.get("margin_per_customer_amount"))
        hidden = per_customer is None or not has_margin(row)
        interval = money_range(row.get("margin_per_customer_low_amount"), row.get("margin_per_customer_high_amount"),
                               currency, minor_unit(currency))  # fmt: skip
        details = () if hidden or interval == NOT_AVAILABLE else (interval,)
        rows.append(TableRow((
            Cell(unit_name(row)),
            Cell(count(row.get("mature_customers_count"))),
            Cell(NOT_AVAILABLE if hidden else money(per_customer, currency, minor_unit(currency)), details),
            Cell(NOT_AVAILABLE if not has_margin(row) else probability(row.get("p_margin_positive"))),
            _repeat_chance(row),
            Cell(rate(row.get("refund_rate"))),
            _spend(row, currency),
            Cell(_cost_shares(row)),
        ), verdict_of(row)))  # fmt: skip
    return TableView(
        "What each verdict rests on",
        ("Channel", "Mature customers", "Margin per customer", f"P(margin{NO_BREAK}>{NO_BREAK}0)",
         f"P(repeat{NO_BREAK}≥{NO_BREAK}rest)", "Refund rate", "Spend", "Costs known / assumed / unknown"),
        (False, True, True, True, True, True, True, True),
        tuple(rows),
    )  # fmt: skip


def _repeat_chance(row: Row) -> Cell:
    """Return P(repeat >= rest), below it the rate that was observed; the estimate stands in the decision table."""
    observed = finite(row.get("repeat_rate"))
    details = () if observed is None else (f"observed {rate(observed)}",)
    return Cell(probability(None if row.get("rest_repeat_rate") is None else row.get("p_repeat_above_rest")), details)


def resolve_table(units: Iterable[Row], currency: str) -> TableView:
    """Return, for units that cannot be judged, which data would resolve it and what knowing is worth."""
    undecided = [row for row in ranked(units) if verdict_of(row) == "insufficient"]
    undecided.sort(key=lambda row: (_kind(row) != "channel", -(finite(row.get("worth_amount")) or Decimal(0))))
    rows = tuple(
        TableRow((
            Cell(unit_name(row), (_kind(row),)),
            Cell("; ".join(sentences(row.get("missing"))) or NOT_AVAILABLE),
            Cell(money(row.get("worth_amount"), currency)),
        ))
        for row in undecided[:ABSTENTIONS_SHOWN]
    )  # fmt: skip
    return TableView("What would resolve the abstentions", ("Unit", "What would resolve it", "Worth of knowing"),
                     (False, False, True), rows, _left_out(len(undecided), ABSTENTIONS_SHOWN))  # fmt: skip


def good_looking_table(units: Iterable[Row], currency: str) -> TableView:
    """Return the units with rising revenue or a ROAS above target that very likely lose money."""
    rows = []
    losing = list(units)
    for row in losing[:GOOD_LOOKING_SHOWN]:
        roas = finite(row.get("roas"))
        chance = finite(row.get("p_margin_positive"))
        previous = money(row.get("previous_net_revenue_amount"), currency)
        rows.append(TableRow((
            Cell(unit_name(row), (_kind(row), *sentences(row.get("looks")))),
            Cell(money(row.get("net_revenue_amount"), currency), (f"before: {previous}",)),
            Cell(NOT_AVAILABLE if roas is None else f"{roas:.2f}"),
            Cell(money(row.get("margin_amount"), currency)),
            Cell(NOT_AVAILABLE if chance is None else probability(1 - chance)),
        )))  # fmt: skip
    return TableView(
        "Looks good, loses money",
        ("Unit", "Net revenue", "ROAS", "Contribution margin", f"P(margin{NO_BREAK}<{NO_BREAK}0)"),
        (False, True, True, True, True),
        tuple(rows),
        _left_out(len(losing), GOOD_LOOKING_SHOWN),
    )


def bridge_tables(bridge: Iterable[Row], currency: str) -> list[tuple[list[Row], TableView]]:
    """Return the margin bridge of every store, with the statement whether it closes to the smallest coin."""
    told = [step for step in bridge if not _is_nothing(step)]
    ordered = sorted(told, key=lambda row: (str(row.get("store_id")), row.get("step_order") or 0))
    stores = [(store, list(steps)) for store, steps in groupby(ordered, key=lambda row: str(row.get("store_id")))]
    tables = []
    for store, steps in stores:
        caption = "From the raw total to CM3" if len(stores) == 1 else f"From the raw total to CM3: {plain(store)}"
        rows = tuple(
            TableRow(
                (
                    Cell(step_name(step)),
                    Cell(money(step.get("amount"), currency, minor_unit(currency))),
                    Cell(rate(step.get("net_revenue_rate"))),
                    Cell(count(step.get("row_count"))),
                ),
                str(step.get("step_kind") or ""),
            )
            for step in steps
        )
        note = _closing(steps, currency)
        headers = ("Step", "Amount", "Of net revenue", "Rows")
        tables.append((steps, TableView(caption, headers, (False, True, True, True), rows, note, is_compact=True)))
    return tables


def bridge_waterfall(steps: Iterable[Row]) -> list[WaterfallStep]:
    """Return the totals, and the changes whose amount is known and not zero, up to the first unknown total."""
    drawn = []
    for step in steps:
        amount, kind = finite(step.get("amount")), step.get("step_kind")
        if amount is None and kind == "total":
            break
        if amount is not None and (kind == "total" or (kind == "change" and amount)):
            drawn.append(WaterfallStep(step_name(step), amount, kind == "total"))
    return drawn


def step_name(step: Row) -> str:
    """Return a bridge step as words.

    >>> step_name({"step": "cost_of_goods"}), step_name({"step": "cm1"})
    ('Cost of goods', 'CM1')
    """
    name = plain(step.get("step") or NOT_AVAILABLE).replace("_", " ")
    return name.upper() if name[:2].casefold() == "cm" and name[2:].isdigit() else f"{name[:1].upper()}{name[1:]}"


def grade_table(grades: Iterable[Row]) -> TableView:
    """Return the grade of every table that is there, and the names of those that are not."""
    ordered = list(grades)
    rows = tuple(
        TableRow((
            Cell(plain(row.get("table_name"))), Cell(plain(row.get("grade") or NOT_AVAILABLE)),
            Cell(count(row.get("rows_in"))), Cell(count(row.get("rows_loaded"))),
            Cell(count(row.get("rows_quarantined"))), Cell(count(row.get("rows_warned"))),
        ))
        for row in ordered if row.get("is_present")
    )  # fmt: skip
    absent = ", ".join(plain(row.get("table_name")) for row in ordered if not row.get("is_present"))
    return TableView(
        "Grade of each table",
        ("Table", "Grade", "Rows in", "Loaded", "Quarantined", "Warned"),
        (False, False, True, True, True, True),
        rows,
        f"Not available in this store's data: {absent}." if absent else "",
    )


def finding_table(findings: Iterable[Row]) -> TableView:
    """Return the checks that rows failed, most rows first."""
    failed = sorted((row for row in findings if row.get("row_count")), key=lambda row: -int(row["row_count"]))
    rows = tuple(
        TableRow((
            Cell(plain(row.get("table_name"))),
            Cell(plain(row.get("message") or row.get("rule"))),
            Cell(plain(row.get("severity") or NOT_AVAILABLE)),
            Cell(count(row.get("row_count"))),
        ))
        for row in failed[:12]
    )  # fmt: skip
    headers = ("Table", "Finding", "Consequence", "Rows")
    return TableView("What the checks found", headers, (False, False, False, True), rows)


def coverage_table(coverage: Iterable[Row]) -> TableView:
    """Return how much of each cost line is known, assumed and unknown."""
    rows = tuple(
        TableRow((
            Cell(plain(row.get("cost_line"))), Cell(rate(row.get("known_rate"))),
            Cell(rate(row.get("assumed_rate"))), Cell(rate(row.get("unknown_rate"))),
        ))
        for row in coverage
    )  # fmt: skip
    return TableView("Cost coverage, weighted by net revenue", ("Cost line", "Known", "Assumed", "Unknown"),
                     (False, True, True, True), rows, is_compact=True)  # fmt: skip


def _is_nothing(step: Row) -> bool:
    """Say whether no row fell into the step; a cost that no source states is something, and stays."""
    amount, is_empty = finite(step.get("amount")), step.get("row_count") == 0
    return step.get("step_kind") != "total" and is_empty and (amount == 0 or step.get("step_id") == "cost_unknown")


def _reasons(row: Row) -> Reasons:
    verdict = verdict_of(row)
    told = (_SHOWN_ONLY.get(own_name(row), "It is shown, not judged."),) if verdict == "unjudged" else ()
    reasons = sentences(row.get("reasons")) or told or ("No reason was given.",)
    return Reasons(
        unit=unit_name(row),
        verdict=verdict,
        label=label_of(row),
        reasons=tuple(_unbroken(reason) for reason in reasons[:REASONS_SHOWN]),
        smaller_count=max(0, len(reasons) - REASONS_SHOWN),
        action=plain(row.get("action") or ""),
        bounds=_bounds(row) if verdict in ("scale", "fix", "kill") else "",
    )


def _unbroken(text: str) -> str:
    """Return a sentence whose probabilities stay on one line."""
    for name in ("P(> 0)", "P(≥ rest)"):
        text = text.replace(f"{name} ", f"{name.replace(' ', NO_BREAK)}{NO_BREAK}")
    return text


def _bounds(row: Row) -> str:
    tried = [
        (row.get("unattributed_given_verdict"), "with all unattributed orders given to it"),
        (row.get("unknown_costs_free_verdict"), "with unknown costs taken as 0"),
    ]
    turns = [f"{words} the rule alone says {str(verdict).title()}" for verdict, words in tried
             if verdict and verdict != row.get("verdict")]  # fmt: skip
    text = "; ".join(turns)
    return plain(f"{text[0].upper()}{text[1:]}.") if text else ""


def _closing(steps: Sequence[Row], currency: str) -> str:
    running: Decimal | None = None
    gap = Decimal(0)
    left_out = []
    for step in steps:
        amount, kind = finite(step.get("amount")), step.get("step_kind")
        if kind == "total":
            if amount is None:
                return f"The bridge ends before {step_name(step)}, which is not available."
            gap = max(gap, abs(amount - running)) if running is not None else gap
            running = amount
        elif kind == "change" and amount is None:
            left_out.append(step_name(step))
        elif kind == "change" and amount is not None and running is not None:
            running += amount
    places = minor_unit(currency)
    if running is None:
        return ""
    if gap >= Decimal(1).scaleb(-places) / 2:
        return f"The bridge does not close: {money(gap, currency, places)} are unexplained."
    unknown = f" Not available, and so left out: {', '.join(left_out)}." if left_out else ""
    return f"The steps are exclusive and close to the last digit shown.{unknown}"


def _spend(row: Row, currency: str) -> Cell:
    if row.get("is_paid") is False and not finite(row.get("spend_amount")):
        return Cell("no budget")
    amount = finite(row.get("spend_amount"))
    if amount is None or lacks_spend(row):
        return Cell(NOT_AVAILABLE)
    roas = finite(row.get("roas"))
    details = ("assumed",) if row.get("is_spend_assumed") else ()
    return Cell(money(amount, currency), (*details, *(() if roas is None else (f"ROAS {roas:.2f}",))))


def _cost_shares(row: Row) -> str:
    shares = [finite(row.get(f"{part}_cost_rate")) for part in ("known", "assumed", "unknown")]
    if all(share is None for share in shares):
        return NOT_AVAILABLE
    return " / ".join("?" if share is None else f"{share:.0%}" for share in shares)


def _left_out(units_count: int, shown: int) -> str:
    return f"{count(units_count - shown)} more are in the table decisions.verdicts." if units_count > shown else ""


def _kind(row: Row) -> str:
    return plain(row.get("unit_kind") or "channel")
