"""The memo's charts as inline SVG: no script, no font, no network.

Positions are percentages of the width and text keeps its size, so one drawing reads on a phone, a desktop and paper. Names and
amounts stand in columns of their own, left and right of the plot; on a phone it begins at the left edge, below the names: the
style sheet moves it.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from markupsafe import Markup

from marginwise.decisions.number_format import money, money_short

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["IntervalBar", "WaterfallStep", "interval_chart", "waterfall_chart"]

_ROW = 31
_TOP = 4
_LABEL_LENGTH = 34
_PLOT_WIDTH = 60


@dataclass(frozen=True)
class WaterfallStep:
    """One step of a bridge: a total stands on zero, a change floats from the running total."""

    label: str
    amount: Decimal
    is_total: bool


@dataclass(frozen=True)
class IntervalBar:
    """One unit's estimate with its interval; ``tone`` is the verdict it is drawn in."""

    label: str
    amount: Decimal
    low: Decimal
    high: Decimal
    tone: str


def waterfall_chart(steps: Sequence[WaterfallStep], currency: str, title: str) -> Markup:
    """Return a waterfall of the steps, one below the other; empty when there is nothing to draw.

    Parameters
    ----------
    steps
        In order; the running total starts at the first total and each change moves it.
    currency
        ISO 4217 code of the amounts.
    title
        What the chart shows, read by screen readers.
    """
    spans = _spans(steps)
    if not spans:
        return Markup("")
    scale = _Scale([edge for span in spans for edge in span])
    texts, parts = [], [scale.zero_line(len(steps))]
    for index, (step, (start, end)) in enumerate(zip(steps, spans, strict=True)):
        tone = "total" if step.is_total else "gain" if step.amount >= 0 else "loss"
        y = _TOP + index * _ROW
        texts.append(_labels(y, step.label, money_short(step.amount, currency), bold=step.is_total))
        parts.append(scale.bar(y + 17, start, end, tone, f"{step.label}: {money(step.amount, currency)}"))
        if index + 1 < len(steps):
            parts.append(scale.connector(y + 17, end))
    return _drawing(
        texts, parts, len(steps), title, "; ".join(f"{s.label} {money_short(s.amount, currency)}" for s in steps)
    )


def interval_chart(bars: Sequence[IntervalBar], currency: str, title: str) -> Markup:
    """Return one dot with its interval per unit on a common scale with a line at zero; empty without units."""
    if not bars:
        return Markup("")
    scale = _Scale([edge for bar in bars for edge in (bar.low, bar.high, bar.amount)])
    texts, parts = [], [scale.zero_line(len(bars))]
    for index, bar in enumerate(bars):
        y = _TOP + index * _ROW
        told = f"{bar.label}: {money(bar.amount, currency)}, {money(bar.low, currency)} to {money(bar.high, currency)}"
        texts.append(_labels(y, bar.label, money_short(bar.amount, currency), bold=False))
        parts.append(scale.interval(y + 22, bar, told))
    return _drawing(
        texts, parts, len(bars), title, "; ".join(f"{b.label} {money_short(b.amount, currency)}" for b in bars)
    )


def _spans(steps: Sequence[WaterfallStep]) -> list[tuple[Decimal, Decimal]]:
    running = Decimal(0)
    spans = []
    for step in steps:
        start = Decimal(0) if step.is_total else running
        running = step.amount if step.is_total else running + step.amount
        spans.append((start, running))
    return spans


class _Scale:
    """Maps amounts to percentages of the width; zero is always on it."""

    def __init__(self, amounts: Sequence[Decimal]) -> None:
        self.low = min(*amounts, Decimal(0))
        self.high = max(*amounts, Decimal(0))

    def at(self, amount: Decimal) -> float:
        width = self.high - self.low
        return round(float((amount - self.low) / width) * _PLOT_WIDTH + 1, 3) if width else 1.0

    def zero_line(self, rows: int) -> Markup:
        if self.low == 0:
            return Markup("")
        x = self.at(Decimal(0))
        return Markup('<line class="zero" x1="{x}%" x2="{x}%" y1="{top}" y2="{end}"/>').format(
            x=x, top=_TOP + 18, end=_TOP + rows * _ROW - 2
        )

    def bar(self, y: int, start: Decimal, end: Decimal, tone: str, told: str) -> Markup:
        left, right = sorted((self.at(start), self.at(end)))
        return Markup(
            '<rect class="{tone}" x="{x}%" y="{y}" width="{width}%" height="9"><title>{told}</title></rect>'
        ).format(tone=tone, x=left, y=y, width=round(max(right - left, 0.3), 3), told=told)

    def connector(self, y: int, at: Decimal) -> Markup:
        return Markup('<line class="connector" x1="{x}%" x2="{x}%" y1="{y1}" y2="{y2}"/>').format(
            x=self.at(at), y1=y + 9, y2=y + _ROW
        )

    def interval(self, y: int, bar: IntervalBar, told: str) -> Markup:
        return Markup(
            '<g class="{tone}"><title>{told}</title><line class="whisker" x1="{low}%" x2="{high}%" y1="{y}" y2="{y}"/>'
            '<circle cx="{at}%" cy="{y}" r="4.5"/></g>'
        ).format(tone=bar.tone, told=told, low=self.at(bar.low), high=self.at(bar.high), at=self.at(bar.amount), y=y)


def _labels(y: int, label: str, amount: str, *, bold: bool) -> Markup:
    shown = label if len(label) <= _LABEL_LENGTH else f"{label[: _LABEL_LENGTH - 1]}…"
    weight = Markup(' class="bold"') if bold else Markup("")
    return Markup(
        '<text{weight} x="0" y="{y}">{label}</text><text{weight} x="100%" y="{y}" text-anchor="end">{amount}</text>'
    ).format(weight=weight, y=y + 13, label=shown, amount=amount)


def _drawing(texts: Sequence[Markup], parts: Sequence[Markup], rows: int, title: str, description: str) -> Markup:
    return Markup(
        '<svg class="chart" role="img" aria-label="{label}" width="100%" height="{height}"'
        ' xmlns="http://www.w3.org/2000/svg"><title>{title}</title><desc>{description}</desc>'
        '<g class="plot">{parts}</g>{texts}</svg>'
    ).format(
        label=title,
        title=title,
        description=description,
        height=_TOP * 2 + rows * _ROW,
        parts=Markup("").join(parts),
        texts=Markup("").join(texts),
    )
