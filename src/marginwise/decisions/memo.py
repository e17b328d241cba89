"""The memo: what deserves capital and what burns it, on one page, then why; HTML and Markdown from plain rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from marginwise.decisions.memo_answer import answer
from marginwise.decisions.memo_changes import changes_since_last
from marginwise.decisions.memo_charts import interval_chart, waterfall_chart
from marginwise.decisions.memo_robustness import held_campaigns, robustness_view
from marginwise.decisions.memo_tables import (
    bridge_tables,
    bridge_waterfall,
    coverage_table,
    evidence_table,
    finding_table,
    good_looking_table,
    grade_table,
    interval_bars,
    reason_list,
    resolve_table,
)
from marginwise.decisions.number_format import NOT_AVAILABLE, rate
from marginwise.decisions.table import (
    decision_headers,
    decision_markdown,
    decision_rows,
    has_margin,
    markdown_text,
    plain,
    told_apart,
    verdict_of,
)

if TYPE_CHECKING:
    import datetime as dt

__all__ = ["Memo", "MemoFacts", "render_memo"]

Rows = Sequence[Mapping[str, Any]]

UNITS_SHOWN = 25
_WITHSTOOD = (
    "Every Scale, Fix and Kill holds with none or all of the unattributed orders given to the unit, and with unknown"
    " costs taken as 0, unless it says otherwise."
)
_DECIDED = ("scale", "fix", "kill")
_OTHER_KINDS = {"campaign": "Campaigns", "partner": "Partners", "category": "Categories"}


@dataclass(frozen=True)
class MemoFacts:
    """Everything the memo tells, as plain rows; what is absent reads "not available", never 0.

    Parameters
    ----------
    store_name, currency
        The store and the ISO 4217 code of all amounts.
    verdicts
        Rows of ``decisions.verdicts``, every kind of unit.
    looks_good
        Rows of ``decisions.looks_good_loses_money``.
    robustness
        Rows of ``decisions.robustness``.
    bridge
        Rows of ``marts.mart_margin_bridge``.
    grades, findings
        Rows of ``ops.table_grades`` and those of ``ops.checks`` with rows that failed.
    cost_coverage
        One row per cost line: cost_line, known_rate, assumed_rate, unknown_rate (shares of net revenue, 0-1).
    memos, movements
        Rows of ``decisions.memos`` and ``decisions.movements``.
    unattributed_rate
        Share of net revenue (0-1) that no channel can be given.
    as_of_date, window_start_date, window_end_date, horizon_days
        The day the memo speaks of; when the judged customers first bought; the days counted for each of them.
    interval_rate
        Probability (0-1) of every interval shown.
    manifest_id
        Id of the run's manifest: hashes of inputs, settings, code and published tables.
    """

    store_name: str
    currency: str
    verdicts: Rows
    looks_good: Rows = ()
    robustness: Rows = ()
    bridge: Rows = ()
    grades: Rows = ()
    findings: Rows = ()
    cost_coverage: Rows = ()
    memos: Rows = ()
    movements: Rows = ()
    unattributed_rate: float | None = None
    as_of_date: dt.date | None = None
    window_start_date: dt.date | None = None
    window_end_date: dt.date | None = None
    horizon_days: int | None = None
    interval_rate: float = 0.9
    manifest_id: str | None = None


@dataclass(frozen=True)
class Memo:
    """The memo as one self-contained HTML page and as Markdown."""

    html: str
    markdown: str


def render_memo(facts: MemoFacts) -> Memo:
    """Write the memo.

    Parameters
    ----------
    facts
        What the published store says.

    Returns
    -------
    Memo
        HTML without any outside reference, and the same content as Markdown.

    Examples
    --------
    >>> memo = render_memo(MemoFacts(store_name="Harbour Tea", currency="EUR", verdicts=[]))
    >>> memo.markdown.splitlines()[0]
    '# Harbour Tea: margin memo'
    """
    view = _view(facts)
    return Memo(
        html=_TEMPLATES.get_template("memo.html.j2").render(view),
        markdown=_TEMPLATES.get_template("memo.md.j2").render(view),
    )


def _view(facts: MemoFacts) -> dict[str, Any]:
    currency = facts.currency
    units = told_apart(facts.verdicts)
    good_looking, movements = (told_apart(rows, among=units) for rows in (facts.looks_good, facts.movements))
    channels = [row for row in units if row.get("unit_kind", "channel") == "channel"]
    interval = f"{round(100 * facts.interval_rate, 4):g}%"
    drawn = f"Contribution margin by channel with {interval} intervals"
    return {
        "store_name": plain(facts.store_name),
        "currency": plain(currency),
        "as_of": _date(facts.as_of_date),
        "window": _window(facts),
        "horizon_days": facts.horizon_days,
        "interval": interval,
        "unattributed": rate(facts.unattributed_rate),
        "answer": answer(channels, facts.horizon_days),
        "headers": decision_headers(),
        "channels": decision_rows(channels, currency),
        "channels_markdown": decision_markdown(channels, currency),
        "reasons": reason_list(channels),
        "withstood": _WITHSTOOD,
        "robustness": robustness_view(channels, facts.robustness, facts.horizon_days),
        "campaigns_held": held_campaigns(units, facts.robustness, facts.horizon_days),
        "resolved": _resolved(facts.verdicts),
        "nothing_looks_good": _nothing_looks_good(facts.verdicts),
        "is_bounded": any(verdict_of(row) in _DECIDED and row.get("unattributed_given_verdict") for row in channels),
        "interval_chart": interval_chart(interval_bars(channels), currency, drawn),
        "evidence": evidence_table(channels, currency),
        "resolve": resolve_table(units, currency),
        "good_looking": good_looking_table(good_looking, currency),
        "changes": changes_since_last(facts.memos, movements, currency),
        "bridges": [
            (table, waterfall_chart(bridge_waterfall(rows), currency, table.caption))
            for rows, table in bridge_tables(facts.bridge, currency)
        ],
        "others": [_other_kind(units, currency, kind, title) for kind, title in _OTHER_KINDS.items()],
        "grades": grade_table(facts.grades),
        "findings": finding_table(facts.findings),
        "coverage": coverage_table(facts.cost_coverage),
        "caveats": _caveats(facts),
        "manifest_id": plain(facts.manifest_id or NOT_AVAILABLE),
    }


def _other_kind(verdicts: Rows, currency: str, kind: str, title: str) -> dict[str, Any]:
    units = [row for row in verdicts if row.get("unit_kind") == kind]
    largest = sorted(units, key=lambda row: -float(row.get("net_revenue_amount") or 0))[:UNITS_SHOWN]
    return {
        "title": title,
        "headers": decision_headers(kind),
        "rows": decision_rows(largest, currency, kind),
        "markdown": decision_markdown(largest, currency, kind),
        "left_out": len(units) - len(largest),
    }


def _resolved(verdicts: Rows) -> str:
    if any(verdict_of(row) in _DECIDED for row in verdicts):
        return "Every unit could be judged."
    return "There is nothing to judge: no channel, campaign, partner or category is known."


def _nothing_looks_good(verdicts: Rows) -> str:
    if any(has_margin(row) for row in verdicts):
        return "No unit has rising revenue or a return on ad spend above its target and very likely a negative margin."
    return f"{NOT_AVAILABLE.capitalize()}: no margin can be told for any unit."


def _caveats(facts: MemoFacts) -> list[str]:
    basis = sorted({str(row.get("basis")) for row in facts.verdicts if row.get("basis")})
    return [
        "Attributed margin is not causal. A channel may be credited with customers who would have come anyway; only an"
        " experiment, such as a holdout, tells. That is why the words are a test and a holdout, not a plain order.",
        "A customer counts for the channel that is declared, else for that of the first visit before the first order,"
        " else for that of the first order. Later orders follow the customer, whatever brought them back.",
        "Intervals hold the uncertainty of who happened to buy and how much. They do not hold errors in the source data"
        " or in declared assumptions.",
        "The past window is judged. More spend may earn less than the spend seen so far.",
        *(["Some verdicts rest on costs or spend declared in the settings, not measured; they are marked as assumed."]
          if "assumed" in basis else []),
    ]  # fmt: skip


def _date(day: dt.date | None) -> str:
    return NOT_AVAILABLE if day is None else f"{day.day} {day:%B %Y}"


def _window(facts: MemoFacts) -> str:
    if facts.window_start_date is None or facts.window_end_date is None:
        return NOT_AVAILABLE
    if facts.window_end_date < facts.window_start_date:
        return f"none yet: those won from {_date(facts.window_start_date)} on, {facts.horizon_days} days later"
    return f"{_date(facts.window_start_date)} to {_date(facts.window_end_date)}"


_TEMPLATES = Environment(
    loader=PackageLoader("marginwise.decisions", "templates"),
    autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_TEMPLATES.filters["md"] = markdown_text
