"""The margin of a unit: count of customers x hurdle x heavy-tailed margin per customer, pooled across units.

For a unit with acquisition spend ``S`` the cohort margin a window like this one brings is

    M = lambda mu - S,        m = mu - S / lambda

with ``lambda`` the expected number of customers and ``mu`` the expected CM2 of one customer within the horizon,

    mu = pi [ (1 - p_up - p_low) beta + p_up (u + h_up) + p_low (v - h_low) ]

where ``pi`` is the chance that a customer brings a margin other than 0 (the hurdle), ``p_up`` and ``p_low`` are the
chances to lie beyond the thresholds ``u`` and ``v``, ``beta`` is the mean between them and ``h`` the mean excess
beyond them. The sum of what lies between is close to normal even where the whole is not (a trimmed sum), the
chances are partially pooled beta-binomials, and the mean excess comes from the pooled tail (`tail`).

Draws of ``q = lambda mu / S`` (units with spend: margin earned per unit of money spent, which is 1 where M = 0) or of
``mu`` (units without) are then partially pooled across units (`pooling`). Zero customers need no special case: the
count has a gamma posterior, the mean comes from the pool.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from marginwise.science.pooling import Spread, UnitMeans, pooled_means, pooled_rates
from marginwise.science.tail import ExcessDraws, mean_excess

__all__ = ["MarginDraws", "UnitEvidence", "margin_draws"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Indexes = NDArray[np.intp]

_TAIL_SHARES = (0.05, 0.12)
_TAIL_WISHED = 60
_TAIL_OF_UNIT = 64
_SCALE_WEIGHT = 25.0
_VARIANCE_WEIGHT = 6.0
_BODY_SPREAD = 0.5
_COUNT_SHAPE = 0.5
_RETURN_PRIOR = Spread(linear_to=0.5, between=0.35, centre=1.0, exactly=0.01)
_MEAN_PRIOR = Spread(linear_to=0.5, between=0.35)


@dataclass(frozen=True)
class UnitEvidence:
    """The customers of units that are judged together, one row per customer and unit.

    Attributes
    ----------
    value
        CM2 of the customer within the horizon, store currency, shape (customers,), ordered by unit.
    unit
        Index of the unit of each customer, ascending.
    spend
        Acquisition spend per unit, 0 where there is none, negative where credit notes exceed it, shape (units,).
    is_pooled
        Units that teach the pool (guests are no customers, units without known spend have no margin).
    """

    value: Floats
    unit: Indexes
    spend: Floats
    is_pooled: Bools


@dataclass(frozen=True)
class MarginDraws:
    """Draws per unit, each of shape (units, draws): margin, expected customers; and whether a margin can be told."""

    margin: Floats
    customers: Floats
    is_defined: Bools


def margin_draws(
    evidence: UnitEvidence, shared: np.random.Generator, units: list[np.random.Generator], draws: int
) -> MarginDraws:
    """Draw the cohort margin of every unit from its posterior.

    Parameters
    ----------
    evidence
        Customers and spend of the units judged together.
    shared
        Source of what all units share.
    units
        One source per unit, so that another unit's presence does not change its noise.
    draws
        Number of draws.
    """
    count = len(evidence.spend)
    customers = np.bincount(evidence.unit, minlength=count).astype(np.float64)
    normals = np.stack([rng.standard_normal((4, draws)) for rng in units], axis=1)
    mean, common = _customer_means(evidence, customers, shared, units, normals)
    expected = _expected_customers(customers, evidence.spend, units, draws)

    has_spend = evidence.spend > 0
    is_defined = np.full(count, bool(len(evidence.value))) & (has_spend | (customers > 0))
    margin = expected * mean - evidence.spend[:, None]
    paid = np.flatnonzero(has_spend & is_defined & evidence.is_pooled)
    if mean[paid].any():
        spend = evidence.spend[paid, None]
        earned = (expected * mean)[paid] / spend
        seen = customers[paid] + _COUNT_SHAPE
        shown = UnitMeans(
            earned, common, normals[3, paid], seen, evidence.spend[paid] ** 2 / seen, has_count_error=True
        )
        pooled = pooled_means(shown, _RETURN_PRIOR, shared)
        margin[paid] = spend * (pooled - 1)
    free = np.flatnonzero(~has_spend & is_defined & evidence.is_pooled)
    if mean[free].any():
        size = float(np.sqrt(np.mean(mean[free].mean(axis=1) ** 2)))
        seen = customers[free]
        shown = UnitMeans(mean[free] / size, common, normals[3, free], seen, seen, has_count_error=False)
        # what platforms credited beyond what they charged stays
        margin[free] = expected[free] * size * pooled_means(shown, _MEAN_PRIOR, shared) - evidence.spend[free, None]
    return MarginDraws(margin, expected, is_defined)


def _expected_customers(customers: Floats, spend: Floats, units: list[np.random.Generator], draws: int) -> Floats:
    """Draw the expected count: gamma posterior of a Poisson, a weak prior at what the same spend brings elsewhere."""
    paid = spend > 0
    usual = (customers[paid].sum() + _COUNT_SHAPE) / spend[paid].sum() if paid.any() else 0.0
    prior = np.where(paid, np.maximum(usual * spend, 1e-9), np.maximum(customers, 1.0))
    rate = 1 + _COUNT_SHAPE / prior
    drawn = [rng.standard_gamma(_COUNT_SHAPE + seen, draws) for rng, seen in zip(units, customers, strict=True)]
    return np.stack(drawn) / rate[:, None]


def _customer_means(
    evidence: UnitEvidence,
    customers: Floats,
    shared: np.random.Generator,
    units: list[np.random.Generator],
    normals: Floats,
) -> tuple[Floats, Floats]:
    """Return draws of the mean CM2 per customer of each unit, and of the tail error they share."""
    count, draws = normals.shape[1:]
    nonzero = evidence.value != 0
    if not nonzero.any():
        return np.zeros((count, draws)), np.zeros(draws)
    value, unit = evidence.value[nonzero], evidence.unit[nonzero]
    active = np.bincount(unit, minlength=count).astype(np.float64)
    cut = _thresholds(value, unit, active, evidence.is_pooled)
    is_up, is_low = value > cut.up[unit], value < cut.low[unit]
    body = ~(is_up | is_low)

    up_count = np.bincount(unit[is_up], minlength=count).astype(np.float64)
    low_count = np.bincount(unit[is_low], minlength=count).astype(np.float64)
    shares = up_count.sum() / active.sum(), low_count.sum() / active.sum()
    up = mean_excess((value - cut.up[unit])[is_up], unit[is_up], cut.up_distance, shares[0], normals[0], shared)
    low = mean_excess((cut.low[unit] - value)[is_low], unit[is_low], cut.low_distance, shares[1], normals[1], shared)

    active_rate = _rates(active, customers, evidence.is_pooled, shared, units, draws)
    up_rate = _rates(up_count, active, evidence.is_pooled & ~cut.is_own, shared, units, draws)
    not_up = active - up_count
    low_rate = (1 - up_rate) * _rates(low_count, not_up, evidence.is_pooled & ~cut.is_own, shared, units, draws)
    between = _body_means(value[body], unit[body], cut.scale, evidence.is_pooled, units, normals[2])
    mean = active_rate * (
        (1 - up_rate - low_rate) * between
        + up_rate * (cut.up[:, None] + up.unit)
        + low_rate * (cut.low[:, None] - low.unit)
    )
    return mean, _shared_error(up, low, up_count.sum(), low_count.sum())


def _shared_error(up: ExcessDraws, low: ExcessDraws, up_count: float, low_count: float) -> Floats:
    """Return the pooled tail's error, the part of every unit's error that more units do not average away."""
    return up.shared * up_count - low.shared * low_count


@dataclass(frozen=True)
class _Thresholds:
    """Thresholds of each unit, their distance from the median, its scale, and whether they are the unit's own."""

    up: Floats
    low: Floats
    up_distance: Floats
    low_distance: Floats
    scale: Floats
    is_own: Bools


def _thresholds(value: Floats, unit: Indexes, active: Floats, is_pooled: Bools) -> _Thresholds:
    """Put one threshold over all units; a unit with a long tail of its own gets its own, higher one.

    The scale is the unit's median size of margin, shrunk to the pool's: it carries the pooled variance over.
    """
    count = len(active)
    pool = value[is_pooled[unit]] if is_pooled[unit].any() else value
    if len(pool) == 0:
        ones = np.ones(count)
        return _Thresholds(ones, -ones, ones, ones, ones, np.zeros(count, dtype=bool))
    typical = float(np.median(np.abs(pool)))
    starts = np.searchsorted(unit, np.arange(count + 1))
    size = np.abs(value)
    own = np.array([np.median(size[first:end]) if end > first else typical for first, end in pairwise(starts)])
    scale = np.exp(np.log(own / typical) * active / (active + _SCALE_WEIGHT))

    share = float(np.clip(_TAIL_WISHED / len(pool), *_TAIL_SHARES))
    low_end, middle, high_end = np.quantile(pool, (share, 0.5, 1 - share))
    up, low = np.full(count, high_end), np.full(count, min(low_end, 0.0))
    is_own = np.zeros(count, dtype=bool)
    for sign, threshold in ((1.0, up), (-1.0, low)):
        beyond = np.flatnonzero(sign * value > sign * threshold[unit])
        ordered = beyond[np.lexsort((-sign * value[beyond], unit[beyond]))]
        first = np.searchsorted(unit[ordered], np.arange(count + 1))
        long = np.flatnonzero(np.diff(first) > _TAIL_OF_UNIT)
        threshold[long] = value[ordered[first[long] + _TAIL_OF_UNIT]]
        is_own[long] = True
    tiny = 1e-6 * typical
    return _Thresholds(up, low, np.maximum(up - middle, tiny), np.maximum(middle - low, tiny), scale, is_own)


def _rates(
    hits: Floats,
    trials: Floats,
    is_pooled: Bools,
    shared: np.random.Generator,
    units: list[np.random.Generator],
    draws: int,
) -> Floats:
    """Draw a partially pooled rate of each unit; a unit that is not pooled stands on its own counts."""
    first, second = pooled_rates(hits, trials, is_pooled, draws, shared)
    vague = np.full(draws, 0.5)
    result = np.empty((len(hits), draws))
    for index, rng in enumerate(units):
        a, b = (first, second) if is_pooled[index] or trials[index] == 0 else (vague, vague)
        result[index] = rng.beta(a + hits[index], b + trials[index] - hits[index])
    return result


def _body_means(
    value: Floats, unit: Indexes, scale: Floats, is_pooled: Bools, units: list[np.random.Generator], noise: Floats
) -> Floats:
    """Draw the mean between the thresholds: Student's t with a pooled variance; the pool's where a unit has none."""
    count, draws = noise.shape
    seen = np.bincount(unit, minlength=count).astype(np.float64)
    mean = np.bincount(unit, value, count) / np.maximum(seen, 1)
    squares = np.bincount(unit, (value - mean[unit]) ** 2, count)
    pooled = is_pooled & (seen > 0)
    if not pooled.any():
        pooled = seen > 0
    freedom = max(float((seen[pooled] - 1).sum()), 1.0)
    common_variance = float((squares / scale**2)[pooled].sum()) / freedom
    weight = np.maximum(seen - 1, 0)
    variance = (_VARIANCE_WEIGHT * common_variance * scale**2 + squares) / (_VARIANCE_WEIGHT + weight)

    common = float(seen[pooled] @ mean[pooled] / seen[pooled].sum()) if pooled.any() else 0.0
    # the floor only keeps customers who are all alike from dividing by nothing
    floor = 1e-12 * max(common**2, 1e-12)
    between = _BODY_SPREAD**2 * (common**2 + common_variance / 4) + floor
    result = np.empty((count, draws))
    for index, rng in enumerate(units):
        degrees = _VARIANCE_WEIGHT + weight[index]
        own = seen[index] / ((variance[index] + floor) * degrees / rng.chisquare(degrees, draws))
        total = own + 1 / between
        result[index] = (own * mean[index] + common / between) / total + noise[index] / np.sqrt(total)
    return result
