"""What it is worth to know: expected value of perfect information about a margin."""

from __future__ import annotations

import math

__all__ = ["value_of_information"]


def value_of_information(mean: float, deviation: float) -> float:
    """Return the expected gain of knowing a margin before acting on it, against deciding now.

    The choice is to go on (earning the margin) or to do nothing (0). Knowing saves the loss of the wrong choice:
    ``E[max(M, 0)] - max(E[M], 0)`` for ``M ~ N(mean, deviation^2)`` (Raiffa and Schlaifer 1961).

    Parameters
    ----------
    mean, deviation
        Expected margin and its standard deviation, store currency.

    Examples
    --------
    >>> round(value_of_information(1, 5), 5), value_of_information(-3, 0)
    (1.53447, 0.0)
    """
    if deviation <= 0:
        return 0.0
    distance = abs(mean) / deviation
    density = math.exp(-0.5 * distance**2) / math.sqrt(2 * math.pi)
    beyond = 0.5 * math.erfc(distance / math.sqrt(2))
    return max(0.0, deviation * density - abs(mean) * beyond)
