"""The repeat rate of each unit against the rest of the store.

``x_i ~ Binomial(n_i, r_i)`` with ``r_i`` partially pooled across units (`pooling.pooled_rates`); the rest of the store
is everyone but the unit, so that a unit which is most of the store is not compared with itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from marginwise.science.pooling import pooled_rates

__all__ = ["RepeatPosterior", "repeat_posterior"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class RepeatPosterior:
    """Per unit, shape (units,): customers judged, observed rate, draws of the rate, the rest's rate, P(rate >= rest).

    A rate without customers is NaN. ``p_above_rest`` is NaN without customers and 1 where there is no rest to fall
    behind.
    """

    judged: Floats
    rate: Floats
    draws: Floats
    rest_rate: Floats
    p_above_rest: Floats


def repeat_posterior(
    judged: Floats,
    repeated: Floats,
    store: tuple[float, float],
    shared: np.random.Generator,
    units: list[np.random.Generator],
    draws: int,
    given: tuple[float, float] = (0.0, 0.0),
) -> RepeatPosterior:
    """Return the repeat rate of each unit and its chance to be at least that of the rest.

    Parameters
    ----------
    judged, repeated
        Customers whose repeat is known, and those who did repeat, per unit.
    store
        The same two counts over the whole store.
    shared, units
        Sources of what units share and of each unit's own.
    draws
        Number of draws.
    given
        The same two counts of customers taken from the rest and given to every unit.
    """
    first, second = pooled_rates(repeated, judged, np.ones(len(judged), dtype=bool), draws, shared)
    mine, hits = judged + given[0], repeated + given[1]
    rest, rest_hits = np.maximum(store[0] - mine, 0), np.maximum(store[1] - hits, 0)
    rest_hits = np.minimum(rest_hits, rest)
    rate, above = np.empty((len(judged), draws)), np.full(len(judged), np.nan)
    for index, rng in enumerate(units):
        rate[index] = rng.beta(first + hits[index], second + mine[index] - hits[index])
        others = rng.beta(0.5 + rest_hits[index], 0.5 + rest[index] - rest_hits[index], draws)
        if rest[index] == 0:
            above[index] = 1.0
        elif mine[index] > 0:
            above[index] = np.mean(rate[index] >= others)
    with np.errstate(invalid="ignore", divide="ignore"):
        return RepeatPosterior(mine, hits / mine, rate, rest_hits / rest, above)
