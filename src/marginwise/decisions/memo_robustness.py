"""How well each channel's verdict holds, as small multiples: one grid of marks per channel, one mark per variant."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from marginwise.decisions.memo_tables import TableRow, TableView
from marginwise.decisions.number_format import MINUS, NOT_AVAILABLE, count, finite
from marginwise.decisions.robustness import Assumptions
from marginwise.decisions.table import Cell, label_of, plain, ranked, unit_name, verdict_of

__all__ = ["HeldUnit", "RobustnessView", "held_campaigns", "robustness_view"]

Row = Mapping[str, Any]
Grid = Mapping[Assumptions, str]

CAMPAIGNS_SHOWN = 25
_STEP = 21
_LEFT, _TOP, _GAP = 68, 34, 14
_MARK = 5.5
_WORDS = {"scale": "Scale", "fix": "Fix", "kill": "Kill", "insufficient": "cannot be judged"}


@dataclass(frozen=True)
class HeldUnit:
    """One unit: its verdict, in how many variants it holds, what turns it, and the grid that shows it."""

    name: str
    verdict: str
    label: str
    held: str
    turned: str
    picture: Markup


@dataclass(frozen=True)
class RobustnessView:
    """Every unit that has a verdict, the same as a table, how to read the grid, and which units were not tried."""

    units: tuple[HeldUnit, ...]
    table: TableView
    reading: str
    note: str


def robustness_view(channels: Iterable[Row], variants: Iterable[Row], horizon_days: int | None) -> RobustnessView:
    """Return how well the verdicts hold.

    Parameters
    ----------
    channels
        Rows of ``decisions.verdicts`` of kind channel.
    variants
        Rows of ``decisions.robustness``.
    horizon_days
        The horizon the verdicts rest on.
    """
    grids, own = _grids(variants), Assumptions("first", horizon_days or 0, 1.0)
    units, abstaining = [], []
    for row in ranked(channels):
        grid = grids.get(_key(row))
        if verdict_of(row) == "insufficient":
            abstaining.append(unit_name(row))
        elif grid and verdict_of(row) != "unjudged":
            units.append(_held(row, grid, own))
    table = _table("In how many variants each verdict holds", "Channel", units)
    note = f"Not tried, because there is no verdict: {', '.join(abstaining)}." if units and abstaining else ""
    return RobustnessView(tuple(units), table, _reading(grids.values()) if units else "", note)


def held_campaigns(units: Iterable[Row], variants: Iterable[Row], horizon_days: int | None) -> TableView:
    """Return in how many variants the verdict of each campaign holds, those with the largest revenue.

    Parameters
    ----------
    units
        Rows of ``decisions.verdicts``; those of other kinds are left out.
    variants, horizon_days
        As for `robustness_view`.
    """
    grids, own = _grids(variants), Assumptions("first", horizon_days or 0, 1.0)
    judged = [
        row
        for row in units
        if row.get("unit_kind") == "campaign" and row.get("variants_count") is not None and grids.get(_key(row))
    ]
    judged.sort(key=lambda row: -(finite(row.get("net_revenue_amount")) or 0))
    shown = [_held(row, grids[_key(row)], own) for row in ranked(judged[:CAMPAIGNS_SHOWN])]
    more = len(judged) - len(shown)
    return _table(
        "In how many variants the verdict of each campaign holds",
        "Campaign",
        shown,
        f"The largest {len(shown)} by net revenue; {count(more)} more are in the table decisions.verdicts."
        if more
        else "",
    )


def _grids(variants: Iterable[Row]) -> dict[tuple[Any, Any, Any], dict[Assumptions, str]]:
    grids: dict[tuple[Any, Any, Any], dict[Assumptions, str]] = defaultdict(dict)
    for row in variants:
        grids[_key(row)][Assumptions.of(row)] = verdict_of(row)
    return grids


def _table(caption: str, header: str, units: Sequence[HeldUnit], note: str = "") -> TableView:
    rows = (TableRow((Cell(u.name), Cell(u.label), Cell(u.held), Cell(u.turned or "by nothing tried"))) for u in units)
    return TableView(caption, (header, "Verdict", "Holds in", "Turned"), (False,) * 4, tuple(rows), note)


def _held(row: Row, grid: Grid, own: Assumptions) -> HeldUnit:
    tried, held = row.get("variants_count"), row.get("variants_held_count")
    if tried is None or held is None:
        told = NOT_AVAILABLE
    else:
        told = f"all {tried}" if held == tried else f"{held} of {tried}"
        silent = len(grid) - tried
        told += f"; {silent} cannot be judged" if silent else ""
    return HeldUnit(
        unit_name(row),
        verdict_of(row),
        label_of(row),
        told,
        _turned(row, grid, own),
        _picture(unit_name(row), grid, own),
    )


def _turned(row: Row, grid: Grid, own: Assumptions) -> str:
    """Return what turns the verdict most often, and to which."""
    cause = row.get("flipped_by")
    if not cause:
        return ""
    words = set(re.split(r", | and ", str(cause)))
    others = Counter(
        verdict
        for assumed, verdict in sorted(grid.items())
        if words <= {name for name, _ in assumed.words(own)} and verdict not in (verdict_of(row), "insufficient")
    )
    told = f"by {plain(cause)} together" if len(words) > 1 else f"most often by {plain(cause)}"
    return f"{told}, to {_WORDS[others.most_common(1)[0][0]]}" if others else told


def _reading(grids: Iterable[Grid]) -> str:
    days = [str(day) for day in sorted({assumed.horizon_days for grid in grids for assumed in grid})]
    counted = f"{', '.join(days[:-1])} or {days[-1]}" if len(days) > 1 else days[0]
    return (
        "Each mark is the verdict under one set of assumptions. Left block: a customer counts for the first touch; right"
        f" block: for the last touch of the first order. Columns: {counted} days of each customer count, all of them past."
        " Rows: the costs inside the margin, without the spend. The frame is the verdict as given."
    )


def _picture(name: str, grid: Grid, own: Assumptions) -> Markup:
    rules = sorted({key.touch_rule for key in grid})
    days = sorted({key.horizon_days for key in grid})
    rates = sorted({key.cost_rate for key in grid})
    block = len(days) * _STEP
    parts = []
    for at, rule in enumerate(rules):
        left = _LEFT + at * (block + _GAP)
        parts.append(_text(left + block / 2, 11, f"{rule} touch", "middle"))
        parts += [_text(left + column * _STEP + _STEP / 2, 26, str(day), "middle") for column, day in enumerate(days)]
        for line, cost in enumerate(rates):
            for column, day in enumerate(days):
                assumed = Assumptions(rule, day, cost)
                if assumed in grid:
                    x, y = left + (column + 0.5) * _STEP, _TOP + (line + 0.5) * _STEP - 3
                    parts.append(_mark(x, y, grid[assumed], _told(assumed, grid[assumed]), is_own=assumed == own))
    for line, cost in enumerate(rates):
        words = "as they are" if cost == 1 else f"costs {_change(cost)}"
        parts.append(_text(0, _TOP + (line + 0.5) * _STEP + 1, words, "start"))
    width, height = _LEFT + len(rules) * block + (len(rules) - 1) * _GAP, _TOP + len(rates) * _STEP
    told = "; ".join(_told(assumed, verdict) for assumed, verdict in sorted(grid.items()))
    return Markup(
        '<svg class="variants" role="img" aria-label="{name}" width="{width}" height="{height}"'
        ' viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg"><title>{name}</title><desc>{told}</desc>'
        "{parts}</svg>"
    ).format(
        name=f"{name}: verdict under each variant", told=told, width=width, height=height, parts=Markup("").join(parts)
    )


def _mark(x: float, y: float, verdict: str, told: str, *, is_own: bool) -> Markup:
    size = _MARK
    frame = Markup('<rect class="own" x="{x}" y="{y}" width="{side}" height="{side}"/>').format(
        x=x - size - 3, y=y - size - 3, side=2 * size + 6
    )
    outlines: dict[str, Sequence[tuple[float, float]]] = {
        "scale": ((0, -size), (size, size), (-size, size)),
        "kill": ((-size, -size), (size, -size), (0, size)),
        "fix": ((0, -size), (size, 0), (0, size), (-size, 0)),
    }
    if verdict in outlines:
        points = " ".join(f"{x + right:g},{y + down:g}" for right, down in outlines[verdict])
        shape = Markup('<polygon points="{points}"/>').format(points=points)
    else:
        shape = Markup('<circle cx="{x}" cy="{y}" r="{r}"/>').format(x=x, y=y, r=size - 1.5)
    return Markup('<g class="{verdict}"><title>{told}</title>{frame}{shape}</g>').format(
        verdict=verdict, told=told, frame=frame if is_own else Markup(""), shape=shape
    )


def _text(x: float, y: float, text: str, anchor: str) -> Markup:
    return Markup('<text x="{x}" y="{y}" text-anchor="{anchor}">{text}</text>').format(
        x=x, y=y, anchor=anchor, text=text
    )


def _change(cost_rate: float) -> str:
    change = round((cost_rate - 1) * 100)
    return f"+{change}%" if change > 0 else f"{MINUS}{-change}%"


def _told(assumed: Assumptions, verdict: str) -> str:
    cost = _change(assumed.cost_rate) if assumed.cost_rate != 1 else "as they are"
    return f"{assumed.touch_rule} touch, {assumed.horizon_days} days, costs {cost}: {_WORDS[verdict]}"


def _key(row: Row) -> tuple[Any, Any, Any]:
    return row.get("store_id"), row.get("unit_kind"), row.get("unit_id")
