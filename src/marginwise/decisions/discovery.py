"""False discoveries: of many units judged together, how many may be named."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from marginwise.settings import DecisionSettings

__all__ = ["discoveries", "taken_back"]

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


def taken_back(claims: Sequence[tuple[Hashable, str, float | None]], settings: DecisionSettings) -> list[bool]:
    """Say which Scale and Kill are taken back, so that few of those named together are wrong.

    Parameters
    ----------
    claims
        Per unit: what it is judged together with, its verdict, P(M > 0).
    settings
        The largest mean errors.

    Examples
    --------
    >>> from marginwise.settings import DecisionSettings
    >>> taken_back([("channel", "kill", 0.01), ("channel", "kill", 0.3), ("campaign", "fix", 0.5)], DecisionSettings())
    [False, True, False]
    """
    limits = {"scale": settings.scale_false_discovery, "kill": settings.kill_false_discovery}
    named: dict[tuple[Hashable, str], list[tuple[int, float]]] = defaultdict(list)
    for position, (group, verdict, chance) in enumerate(claims):
        if verdict in limits and chance is not None:
            named[group, verdict].append((position, 1 - chance if verdict == "scale" else chance))
    is_cut = [False] * len(claims)
    for (_, verdict), members in named.items():
        stays = discoveries([error for _, error in members], limits[verdict])
        for (position, _), stay in zip(members, stays, strict=True):
            is_cut[position] = not stay
    return is_cut
