"""The rule from two probabilities to a verdict: total (every unit gets one) and exclusive (it gets only one)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from marginwise.settings import DecisionSettings

__all__ = ["Verdict", "rule"]

Verdict = Literal["scale", "fix", "kill", "insufficient"]


def rule(p_margin_positive: float | None, p_repeat_above_rest: float | None, settings: DecisionSettings) -> Verdict:
    """Return the verdict of a unit whose data suffice.

    Parameters
    ----------
    p_margin_positive
        P(M > 0); None when no margin can be told.
    p_repeat_above_rest
        P(r >= rest of the store); None when too few customers allow no estimate.
    settings
        The thresholds.

    Examples
    --------
    >>> from marginwise.settings import DecisionSettings
    >>> limits = DecisionSettings()
    >>> rule(0.97, 0.6, limits), rule(0.97, 0.2, limits), rule(0.02, 0.2, limits), rule(0.02, 0.8, limits)
    ('scale', 'fix', 'kill', 'fix')
    """
    if p_margin_positive is None:
        return "insufficient"
    repeats = p_repeat_above_rest is not None and p_repeat_above_rest >= settings.repeat_probability
    if p_margin_positive >= settings.scale_probability and repeats:
        return "scale"
    if p_margin_positive <= settings.kill_probability and not repeats:
        return "kill"
    return "fix"
