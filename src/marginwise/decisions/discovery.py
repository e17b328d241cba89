"""False discoveries: of many units judged together, how many may be named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["discoveries"]

_ROUNDING = 1e-12


def discoveries(errors: Sequence[float], limit: float) -> list[bool]:
    """Say which units may be named so that the expected share of wrong ones stays within the limit.

    The set is the largest, surest first, whose mean posterior error is at most ``limit`` (Bayesian false discovery
    rate: Newton, Noueiry, Sarkar and Ahlquist 2004).

    Parameters
    ----------
    errors
        Posterior probability of each candidate to be wrong.
    limit
        Largest mean error of the set.

    Examples
    --------
    >>> discoveries([0.30, 0.01, 0.05], 0.10)
    [False, True, True]
    >>> discoveries([0.15, 0.01, 0.05], 0.10)
    [True, True, True]
    """
    own = np.asarray(errors, dtype=np.float64)
    ordered = np.sort(own)
    means = np.cumsum(ordered) / np.arange(1, len(ordered) + 1)
    # equal errors stand or fall together, so that the order of rows decides nothing
    last_of_equals = np.searchsorted(ordered, ordered, side="right") - 1
    allowed = ordered[means[last_of_equals] <= limit + _ROUNDING]
    return [bool(len(allowed) and error <= allowed[-1]) for error in errors]
