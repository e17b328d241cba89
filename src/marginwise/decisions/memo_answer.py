"""The memo's answer in two sentences: what deserves the next unit of capital, and what burns it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from marginwise.decisions.table import is_nameless, ranked, unit_name, verdict_of

__all__ = ["answer"]

Row = Mapping[str, Any]
_NAMED = 4


def answer(channels: Sequence[Row], horizon_days: int | None = None) -> tuple[str, str]:
    """Return the answer for the channels as two sentences.

    Parameters
    ----------
    channels
        Rows of ``decisions.verdicts`` of kind channel. Unassigned and guests are no channel to act on.
    horizon_days
        Days counted for each customer.

    Examples
    --------
    >>> rows = [{"unit_name": "Email", "verdict": "scale"}, {"unit_name": "Display", "verdict": "kill"}]
    >>> for sentence in answer(rows, 90):
    ...     print(sentence)
    Email earns more than it costs within 90 days and deserves the next budget, as a test first.
    Display very likely loses money and should face a holdout before more is spent.
    """
    named = [row for row in ranked(channels) if not is_nameless(row) and verdict_of(row) != "unjudged"]
    if not named:
        return (
            "No channel can be told apart: every order is unassigned or from a guest.",
            "Bring in sessions, or orders with their channel, and marketing spend to get a decision.",
        )
    within = f" within {horizon_days} days" if horizon_days else ""
    by_verdict: dict[str, list[Row]] = {"scale": [], "fix": [], "kill": [], "insufficient": []}
    for row in named:
        by_verdict[verdict_of(row)].append(row)
    return _earns(by_verdict["scale"], within), _burns(by_verdict, len(named))


def _earns(scale: Sequence[Row], within: str) -> str:
    held = [row for row in scale if row.get("is_held")]
    budget = [row for row in scale if row.get("lever") != "effort" and row not in held]
    effort = [row for row in scale if row.get("lever") == "effort" and row not in held]
    parts = []
    if budget:
        many = len(budget) > 1
        parts.append(
            f"{_names(budget)} {'earn' if many else 'earns'} more than {'they cost' if many else 'it costs'}{within}"
            f" and {'deserve' if many else 'deserves'} the next budget, as a test first"
        )
    if effort:
        many = len(effort) > 1
        parts.append(
            f"{_names(effort)} {'earn' if many else 'earns'} without a budget{'' if budget else within}"
            f" and {'deserve' if many else 'deserves'} effort"
        )
    if held:
        many = len(held) > 1
        parts.append(f"{_names(held)} {'have' if many else 'has'} not clearly lost the margin shown before")
    return f"{'; '.join(parts)}." if parts else "No channel has earned the next unit of capital yet."


def _burns(by_verdict: Mapping[str, Sequence[Row]], channels_count: int) -> str:
    fix, insufficient = by_verdict["fix"], by_verdict["insufficient"]
    kill = [row for row in by_verdict["kill"] if not row.get("is_held")]
    held = [row for row in by_verdict["kill"] if row.get("is_held")]
    parts = []
    if kill:
        many = len(kill) > 1
        parts.append(
            f"{_names(kill)} very likely {'lose' if many else 'loses'} money and should face a holdout"
            " before more is spent"
        )
    if held:
        many = len(held) > 1
        parts.append(f"{_names(held)} {'have' if many else 'has'} not clearly left the loss shown before")
    if fix:
        parts.append(f"{_names(fix)} {'need' if len(fix) > 1 else 'needs'} fixing first")
    if len(insufficient) == channels_count and channels_count > 1:
        parts.append(f"none of the {channels_count} channels can be judged on these data; what is missing stands below")
    elif insufficient:
        parts.append(f"{_names(insufficient)} cannot be judged on these data")
    if not parts:
        return "No channel is shown to lose money."
    sentence = "; ".join(parts)
    return f"{sentence[0].upper()}{sentence[1:]}."


def _names(rows: Sequence[Row]) -> str:
    names = [unit_name(row) for row in rows]
    if len(names) > _NAMED:
        names = [*names[: _NAMED - 1], f"{len(names) - _NAMED + 1} more"]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
