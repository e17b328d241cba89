"""Hysteresis: a verdict once given stands until the evidence has clearly left it, so that noise does not flip it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from marginwise.decisions.rule import Verdict
    from marginwise.settings import DecisionSettings

__all__ = ["standing"]


def standing(
    previous_verdict: str | None,
    p_margin_positive: float | None,
    p_repeat_above_rest: float | None,
    fresh_verdict: Verdict,
    settings: DecisionSettings,
) -> Verdict:
    """Return the verdict of a unit that may have had one before.

    Only a fresh Fix is held off: Insufficient comes first, and evidence that meets the opposite rule outright is not
    noise. So every case gets exactly one verdict, whatever the thresholds are set to.

    Parameters
    ----------
    previous_verdict
        The last published verdict with an earlier as-of date; None where there is none.
    p_margin_positive
        P(M > 0); None when no margin can be told.
    p_repeat_above_rest
        P(r >= rest of the store); None when too few customers allow no estimate, which ends Scale and leaves Kill.
    fresh_verdict
        What the evidence alone says: the rule, after abstentions and the false-discovery cut.
    settings
        The thresholds; Scale is left below its leave probabilities, Kill above its own.

    Examples
    --------
    >>> from marginwise.settings import DecisionSettings
    >>> limits = DecisionSettings()
    >>> standing("scale", 0.70, 0.30, "fix", limits), standing("scale", 0.55, 0.9, "fix", limits)
    ('scale', 'fix')
    >>> standing("kill", 0.30, 0.70, "fix", limits), standing("kill", 0.30, 0.70, "insufficient", limits)
    ('kill', 'insufficient')
    """
    if fresh_verdict != "fix" or p_margin_positive is None:
        return fresh_verdict
    if previous_verdict == "scale":
        repeats = p_repeat_above_rest is not None and p_repeat_above_rest >= settings.scale_leave_repeat_probability
        return "scale" if p_margin_positive >= settings.scale_leave_probability and repeats else "fix"
    if previous_verdict == "kill":
        repeats = p_repeat_above_rest is not None and p_repeat_above_rest > settings.kill_leave_repeat_probability
        return "kill" if p_margin_positive <= settings.kill_leave_probability and not repeats else "fix"
    return "fix"
