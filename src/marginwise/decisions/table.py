"""The decision table: one formatter for the terminal, the README and the memo."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from rich import box
from rich.table import Table
from rich.text import Text

from marginwise.decisions.number_format import (
    NO_BREAK,
    NOT_AVAILABLE,
    finite,
    money,
    money_decimals,
    money_range,
    probability,
    rate,
    rate_range,
)
from marginwise.decisions.unit import has_window

__all__ = ["Cell", "DecisionRow", "decision_headers", "decision_markdown", "decision_rows", "decision_table", "plain"]

Row = Mapping[str, Any]

VERDICT_ORDER = ("scale", "fix", "kill", "insufficient", "unjudged")
_STYLES = {"scale": "bold green", "fix": "bold yellow", "kill": "bold red", "insufficient": "bold", "unjudged": "dim"}
_WORDS = {"scale": "Scale", "fix": "Fix", "kill": "Kill", "insufficient": "Insufficient", "unjudged": "Not judged"}
_ASSUMED = " (assumed)"
_ALL_UNKNOWN = Decimal("0.9995")
_MIN_WIDTHS = (10, 8, 10, 12, 9, 12)
_KINDS = {"channel": "Channel", "campaign": "Campaign", "partner": "Partner", "category": "Category"}
_OF_SEVERAL = "is_of_several_stores"
_NAMELESS = ("Unassigned", "Guests")
_MARKDOWN_SYNTAX = re.compile(r"([\\`*_\[\]|#~])")


@dataclass(frozen=True)
class Cell:
    """A figure as it is read, and the smaller lines below it."""

    main: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True)
class DecisionRow:
    """One unit of the decision table, written for a reader."""

    verdict: str
    unit: Cell
    revenue: Cell
    repeat: Cell
    margin: Cell
    funnel: Cell
    label: Cell

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Return the cells in the order of the headers."""
        return (self.unit, self.revenue, self.repeat, self.margin, self.funnel, self.label)


def decision_headers(unit_kind: str = "channel") -> tuple[str, ...]:
    """Return the headers of the decision table.

    >>> " · ".join(decision_headers())
    'Channel · Revenue · Repeat rate · Contribution margin · Funnel loss · Verdict'
    """
    return (_KINDS.get(unit_kind, unit_kind.title()), "Revenue", "Repeat rate", "Contribution margin", "Funnel loss",
            "Verdict")  # fmt: skip


def plain(value: object) -> str:
    r"""Return a name from the data as one line without control characters.

    >>> plain("Paid\x1b[31m\nSearch")
    'Paid[31m Search'
    """
    text = "".join(" " if char in "\r\n\t" else char for char in str(value))
    return "".join(char for char in text if unicodedata.category(char) not in ("Cc", "Cf", "Cs")).strip()


def markdown_text(value: object) -> str:
    r"""Return a text with everything escaped that Markdown or HTML would read as syntax.

    >>> markdown_text("a|b <i>*c*")
    'a\\|b &lt;i&gt;\\*c\\*'
    """
    text = plain(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKDOWN_SYNTAX.sub(r"\\\1", text)


def decision_rows(rows: Iterable[Row], currency: str, unit_kind: str = "channel") -> list[DecisionRow]:
    """Return the decision table of one kind of unit as text, best verdicts first, largest revenue first.

    Parameters
    ----------
    rows
        Rows of ``decisions.verdicts`` (any kinds; others are left out). What a row does not know reads
        "not available", never 0.
    currency
        ISO 4217 code of the amounts.
    unit_kind
        channel, campaign, partner or category.
    """
    units = ranked(told_apart(row for row in rows if row.get("unit_kind", "channel") == unit_kind))
    places = {
        name: money_decimals((row.get(name) for row in units), currency)
        for name in ("net_revenue_amount", "margin_amount", "funnel_loss_amount")
    }
    return [
        DecisionRow(
            verdict=verdict_of(row),
            unit=Cell(unit_name(row), _unit_details(row)),
            revenue=_revenue(row, currency, places["net_revenue_amount"]),
            repeat=_repeat(row),
            margin=_margin(row, currency, places["margin_amount"]),
            funnel=_funnel(row, currency, places["funnel_loss_amount"]),
            label=Cell(label_of(row), _label_details(row)),
        )
        for row in units
    ]


def decision_table(rows: Iterable[Row], currency: str, unit_kind: str = "channel") -> Table:
    """Return the decision table for the terminal; parameters as in `decision_rows`."""
    headers = decision_headers(unit_kind)
    table = Table(box=box.SIMPLE_HEAD, show_lines=True, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0),
                  header_style="bold")  # fmt: skip
    for position, header in enumerate(headers):
        side: Literal["left", "right"] = "right" if 0 < position < len(headers) - 1 else "left"
        table.add_column(header, justify=side, overflow="fold", min_width=_MIN_WIDTHS[position])
    for row in decision_rows(rows, currency, unit_kind):
        cells = [_terminal(cell) for cell in row.cells]
        cells[-1].stylize(_STYLES.get(row.verdict, ""), 0, len(row.label.main))
        table.add_row(*cells)
    return table


def decision_markdown(rows: Iterable[Row], currency: str, unit_kind: str = "channel") -> str:
    """Return the decision table as a Markdown table; parameters as in `decision_rows`."""
    headers = decision_headers(unit_kind)
    marks = ["---", "--:", "--:", "--:", "--:", "---"]
    lines = [_markdown_line(headers), _markdown_line(marks)]
    for row in decision_rows(rows, currency, unit_kind):
        cells = [[markdown_text(cell.main), *map(markdown_text, cell.details)] for cell in row.cells]
        cells[0][0] = f"**{cells[0][0]}**"
        cells[-1][0] = f"**{cells[-1][0]}**"
        lines.append(_markdown_line("<br>".join(parts) for parts in cells))
    return "\n".join(lines)


def verdict_of(row: Row) -> str:
    """Return the verdict, or unjudged for what is only shown; an unknown verdict counts as insufficient."""
    if row.get("is_judged") is False:
        return "unjudged"
    verdict = str(row.get("verdict") or "").casefold()
    return verdict if verdict in _WORDS else "insufficient"


def label_of(row: Row) -> str:
    """Return the verdict in the words the rules gave it; that it rests on assumptions is told below it."""
    return plain(row.get("label") or _WORDS[verdict_of(row)]).removesuffix(_ASSUMED)


def told_apart(rows: Iterable[Row], among: Iterable[Row] = ()) -> list[Row]:
    """Return the rows, marked so that `unit_name` names the store as well where there are several.

    Parameters
    ----------
    rows
        Rows of units.
    among
        Other rows told of beside them.
    """
    told = list(rows)
    stores = {row.get("store_id") for row in (*told, *among)}
    return [{**row, _OF_SEVERAL: True} for row in told] if len(stores) > 1 else told


def unit_name(row: Row) -> str:
    """Return the unit's name, with its store in front where several stores are told of together."""
    return f"{plain(row.get('store_id'))} · {own_name(row)}" if row.get(_OF_SEVERAL) else own_name(row)


def own_name(row: Row) -> str:
    """Return the unit's name within its store."""
    return plain(row.get("unit_name") or row.get("unit_id") or NOT_AVAILABLE)


def is_nameless(row: Row) -> bool:
    """Say whether the row gathers what has no unit: it is shown so that a table adds up, and no one can act on it."""
    return own_name(row) in _NAMELESS


def lacks_spend(row: Row) -> bool:
    """Say whether money was spent on the unit but nobody knows how much, so that no margin can be told."""
    return has_window(row) and bool(row.get("is_paid")) and not row.get("has_spend")


def ranked(rows: Iterable[Row]) -> list[Row]:
    """Return the rows best verdict first, largest revenue first; Unassigned and Guests close the list."""
    return sorted(rows, key=_rank)


def lacks_costs(row: Row) -> bool:
    """Say whether the cost of all goods the unit sold is unknown, so that its margin adds up nothing."""
    return any((finite(row.get(name)) or 0) >= _ALL_UNKNOWN for name in ("goods_unknown_rate", "unknown_cost_rate"))


def has_margin(row: Row) -> bool:
    """Say whether a margin can be told for the unit."""
    if not has_window(row) or finite(row.get("margin_amount")) is None:
        return False
    return not lacks_spend(row) and not lacks_costs(row)


def _rank(row: Row) -> tuple[bool, int, Any, str]:
    revenue = finite(row.get("net_revenue_amount"))
    return (is_nameless(row), VERDICT_ORDER.index(verdict_of(row)), -(revenue or 0), unit_name(row))


def _unit_details(row: Row) -> tuple[str, ...]:
    parent = row.get("parent_name")
    return (plain(parent),) if parent and plain(parent) != own_name(row) else ()


def _label_details(row: Row) -> tuple[str, ...]:
    if verdict_of(row) in ("insufficient", "unjudged"):
        return ()
    details = ["on assumed costs or spend"] if row.get("basis") == "assumed" else []
    grade = row.get("evidence_grade")
    return (*details, *((plain(grade),) if grade else ()))


def _revenue(row: Row, currency: str, places: int) -> Cell:
    amount = finite(row.get("net_revenue_amount")) if has_window(row) else None
    share = finite(row.get("revenue_share_rate"))
    details = () if amount is None or share is None else (f"{rate(share)} of store",)
    return Cell(money(amount, currency, places), details)


def _repeat(row: Row) -> Cell:
    repeat = finite(row.get("estimated_repeat_rate"))
    if repeat is None:
        return Cell(NOT_AVAILABLE)
    interval = rate_range(row.get("repeat_low_rate"), row.get("repeat_high_rate"))
    rest = finite(row.get("rest_repeat_rate"))
    details = [interval] if interval != NOT_AVAILABLE else []
    return Cell(rate(repeat), (*details, *(() if rest is None else (f"rest {rate(rest)}",))))


def _margin(row: Row, currency: str, places: int) -> Cell:
    amount = finite(row.get("margin_amount"))
    if amount is None or not has_window(row):
        return Cell(NOT_AVAILABLE)
    if lacks_costs(row):
        return Cell(NOT_AVAILABLE, ("cost of goods unknown",))
    if lacks_spend(row):
        return Cell(NOT_AVAILABLE, (f"{money(amount, currency, places)} before spend",))
    interval = money_range(row.get("margin_low_amount"), row.get("margin_high_amount"), currency, places)
    details = [interval] if interval != NOT_AVAILABLE else []
    chance = row.get("p_margin_positive")
    if finite(chance) is not None:
        details.append(f"P(>{NO_BREAK}0){NO_BREAK}{probability(chance)}")
    unknown = finite(row.get("unknown_cost_rate"))
    if unknown is not None and unknown >= 0.05:
        details.append(f"{rate(unknown)} of costs unknown")
    return Cell(money(amount, currency, places), tuple(details))


def _funnel(row: Row, currency: str, places: int) -> Cell:
    loss = finite(row.get("funnel_loss_rate"))
    if loss is None:
        return Cell(NOT_AVAILABLE)
    step, amount = row.get("funnel_worst_step"), finite(row.get("funnel_loss_amount"))
    details = [plain(step).replace("_", " ")] if step else []
    if amount:
        details.append(money(amount, currency, places))
    return Cell(rate(loss), tuple(details))


def _terminal(cell: Cell) -> Text:
    text = Text(cell.main)
    for detail in cell.details:
        text.append(f"\n{detail}", style="dim")
    return text


def _markdown_line(cells: Iterable[str] | Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
