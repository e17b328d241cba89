"""Partial pooling: what one unit shows, held against how much the units of its kind differ.

Two hierarchies, both solved on a fixed grid of hyperparameters instead of by MCMC, so that the same input always
gives the same draws:

* rates, beta-binomial: ``x_i ~ Binomial(n_i, p_i)``, ``p_i ~ Beta(a p_0, a (1 - p_0))``;
* means, normal-normal with a shared error: ``y_i = theta_i + e_i + g_i f``, ``theta_i ~ N(theta_0, tau^2)``
  (Gelman et al., Bayesian Data Analysis, 3rd ed., 5.3-5.4). Draws come by perturb-and-solve, so the skewness that a
  heavy tail gives to the error of a unit survives the shrinkage.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, ndtri

__all__ = ["Spread", "UnitMeans", "grid_draws", "pooled_means", "pooled_rates"]

Floats = NDArray[np.float64]

_CONCENTRATIONS = np.logspace(0, 4, 17)
_RATE_SPREAD = 0.25
_LEVELS = 24
_SPREAD_OF_SPREAD = 0.8
_REWEIGHTINGS = 10
_LONGEST_STEP = 0.5
_FAR = 3.0
_VARIANCE_CUSTOMERS = 30.0


def grid_draws(log_weights: Floats, draws: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Draw cells of a grid by their posterior weight, stratified, in random order.

    Parameters
    ----------
    log_weights
        Unnormalised log posterior of each cell, flat.
    draws
        How many cells to draw.
    rng
        Decides the order only; how often a cell comes is fixed by its weight.

    >>> np.bincount(grid_draws(np.log([0.25, 0.75]), 8, np.random.default_rng(1)))
    array([2, 6])
    """
    weights = np.exp(log_weights - log_weights.max())
    edges = np.cumsum(weights / weights.sum())
    cells = np.searchsorted(edges, (np.arange(draws) + 0.5) / draws)
    return rng.permutation(np.minimum(cells, len(weights) - 1))


def pooled_rates(
    successes: Floats, trials: Floats, is_pooled: NDArray[np.bool_], draws: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Draw the prior that units share, ``Beta(first, second)``, from its posterior.

    Parameters
    ----------
    successes, trials
        Counts per unit, shape (units,).
    is_pooled
        Which units teach the prior.
    draws
        Number of draws.
    rng
        Source of the draws.

    Returns
    -------
    tuple
        The two parameters of the beta prior, each of shape (draws,). Without any trial the prior is vague around 1/2.
    """
    hits, tried = successes[is_pooled & (trials > 0)], trials[is_pooled & (trials > 0)]
    centre = (hits.sum() + 0.5) / (tried.sum() + 1.0)
    width = 4.0 / np.sqrt((tried.sum() + 1.0) * centre * (1 - centre))
    logits = np.log(centre / (1 - centre)) + np.linspace(-1, 1, 21) * np.clip(width, 0.02, 3.0)
    rate = (1 / (1 + np.exp(-logits)))[:, None]
    concentration = _CONCENTRATIONS[None, :]
    spread = 1 / np.sqrt(1 + concentration)
    # half-normal prior on the spread, with the Jacobian of the logarithmic grid
    log_weight = -0.5 * (spread / _RATE_SPREAD) ** 2 + np.log(concentration) - 1.5 * np.log1p(concentration)
    log_weight = np.broadcast_to(log_weight, (rate.size, concentration.size)).copy()
    first, second = rate * concentration, (1 - rate) * concentration
    for start in range(0, len(hits), 256):
        x, n = hits[start : start + 256, None, None], tried[start : start + 256, None, None]
        log_weight += (betaln(first + x, second + n - x) - betaln(first, second)).sum(axis=0)
    cells = grid_draws(log_weight.ravel(), draws, rng)
    return np.asarray(first.ravel()[cells]), np.asarray(second.ravel()[cells])


@dataclass(frozen=True)
class Spread:
    """What is held likely about the means of units before seeing them.

    Attributes
    ----------
    linear_to
        Up to about this size means are pooled as they are, beyond it by their logarithm (inverse hyperbolic sine):
        errors grow with the mean, so on the plain scale the unlucky would look precise and drag the others down.
    between
        Median of the log-normal prior on the standard deviation between units, on that scale.
    centre
        Where the common mean is expected, give or take 1 on that scale; without it the common mean is free.
    exactly
        Prior probability that all units lie exactly at the centre (the break-even that bidding drives returns to).
        It is what keeps a store where nothing earns and nothing burns from getting verdicts by chance.
    """

    linear_to: float
    between: float
    centre: float | None = None
    exactly: float = 0.0

    @property
    def level(self) -> float:
        """Where the common mean is expected, on the scale of pooling."""
        return 0.0 if self.centre is None else float(np.arcsinh(self.centre / self.linear_to))

    @property
    def precision(self) -> float:
        """How firmly it is expected there."""
        return 0.0 if self.centre is None else 1.0


@dataclass(frozen=True)
class UnitMeans:
    """What each unit shows on its own.

    Attributes
    ----------
    draws
        Draws of each unit's mean from its own evidence, shape (units, draws): centre is the estimate, spread its error.
    shared
        Draws of a factor whose error all units share (the pooled tail), shape (draws,).
    noise
        Standard normal draws of each unit, shape (units, draws).
    customers
        Customers each unit rests on, shape (units,).
    information
        What the variance of a unit's mean is inversely proportional to, shape (units,).
    has_count_error
        Whether a higher mean also means more customers than expected, so that its variance grows with it.
    """

    draws: Floats
    shared: Floats
    noise: Floats
    customers: Floats
    information: Floats
    has_count_error: bool


def pooled_means(units: UnitMeans, prior: Spread, rng: np.random.Generator) -> Floats:
    """Shrink what each unit shows on its own towards the units it is judged with.

    Parameters
    ----------
    units
        The evidence of each unit.
    prior
        How much units are expected to differ.
    rng
        Source of the draws of what is common.

    Returns
    -------
    Floats
        Draws of each unit's mean given all units, shape (units, draws).

    Notes
    -----
    With few customers the lucky unit looks both better and less precise than the unlucky one, so weights taken from
    the units' own errors would drag the common mean down, and so would logarithms of noisy means. What is common is
    therefore learnt from working responses, linear in the means and with variances taken where the shrunk means lie
    (iteratively reweighted, as in a generalised linear mixed model); a unit's own part keeps its own draws.
    """
    count, draws = units.draws.shape
    working = _WorkingResponse(units, prior)
    spreads: Floats = prior.between * np.exp(_SPREAD_OF_SPREAD * ndtri((np.arange(_LEVELS) + 0.5) / _LEVELS))
    shrunk = working.start
    for _ in range(_REWEIGHTINGS):
        level = shrunk
        response, variance, loading = working.at(shrunk)
        log_weight, common = _common(response, variance + spreads[:, None] ** 2, loading, prior)
        log_weight += np.log1p(-prior.exactly)
        if prior.exactly > 0:
            exact = _exactly_there(response, variance, loading, prior)
            log_weight = np.append(log_weight, exact + np.log(prior.exactly * _LEVELS))
        chance = np.exp(log_weight - log_weight.max())
        chance /= chance.sum()
        total = variance + loading**2
        weight = total / (total + spreads[:, None] ** 2)
        expected = response + weight * (common[:, None] - response)
        target = chance[:_LEVELS] @ expected + chance[_LEVELS:].sum() * prior.level
        shrunk = shrunk + np.clip(target - shrunk, -_LONGEST_STEP, _LONGEST_STEP)

    error = working.errors_at(level)
    cells = grid_draws(log_weight, draws, rng)
    common_noise: Floats = prior.level + np.asarray(rng.standard_normal(draws))
    result = np.full_like(units.draws, prior.level)
    for cell in np.unique(cells[cells < _LEVELS]):
        chosen = np.flatnonzero(cells == cell)
        deviation = spreads[cell] * units.noise[:, chosen]
        total = variance + spreads[cell] ** 2
        # linear errors on a logarithmic scale: one that is far beyond anything the unit shows would explode
        shown = np.clip(response[:, None] + error[:, chosen], working.lowest - _FAR, working.highest + _FAR) - deviation
        share = _solve(total, loading, np.ones((count, 1)))
        pull = share[:, 0] @ shown + prior.precision * common_noise[chosen]
        drawn = pull / (float(share.sum()) + prior.precision)
        drawn_alone = drawn + deviation
        shrunk_draws = drawn_alone + float(spreads[cell]) ** 2 * _solve(total, loading, shown - drawn)
        # between what a unit shows and what the others let expect, never beyond both
        lowest, highest = np.minimum(working.lowest, drawn_alone), np.maximum(working.highest, drawn_alone)
        result[:, chosen] = np.clip(shrunk_draws, lowest, highest)
    means = np.asarray(prior.linear_to * np.sinh(result))
    if prior.centre is not None:
        # exactly there: to the scale of pooling and back it may miss the centre by a rounding, which differs by processor
        means[:, cells >= _LEVELS] = prior.centre
    return means


class _WorkingResponse:
    """The means on the scale of pooling, made linear around given levels."""

    def __init__(self, units: UnitMeans, prior: Spread) -> None:
        self._prior, self._has_count_error = prior, units.has_count_error
        self._mean = units.draws.mean(axis=1)
        self._error = units.draws - self._mean[:, None]
        variance = self._error.var(axis=1)
        per_customer = variance * units.information
        usual = float(units.customers @ per_customer / max(float(units.customers.sum()), 1e-9))
        if usual > 0:
            weight = units.customers / (units.customers + _VARIANCE_CUSTOMERS)
            per_customer = weight * per_customer + (1 - weight) * usual
        self._variance = np.maximum(per_customer / units.information, 1e-12 * prior.linear_to**2)
        self._rescaled = np.sqrt(self._variance / np.maximum(variance, 1e-300))
        factor = units.shared - units.shared.mean()
        self._loading = self._error @ factor / len(factor) / max(float(factor.std()), 1e-300)
        seen = np.arcsinh(units.draws / prior.linear_to)
        self.lowest, self.highest = seen.min(axis=1, keepdims=True), seen.max(axis=1, keepdims=True)
        usual = np.arcsinh(float((self._mean / self._variance).sum() / (1 / self._variance).sum()) / prior.linear_to)
        # far from its own mean a precise unit's response would overshoot, so each starts between its own and the usual
        self.start = usual + (seen.mean(axis=1) - usual) / (1 + seen.var(axis=1))

    def at(self, level: Floats) -> tuple[Floats, Floats, Floats]:
        """Return response, own variance, and loading on the shared factor around the given levels."""
        mean, slope, growth, width = self._scales(level)
        total, loading = self._variance * width**2, self._loading * slope * growth
        variance = np.maximum(total - loading**2, 0.02 * total)
        response = np.clip(level + (self._mean - mean) * slope, self.lowest[:, 0], self.highest[:, 0])
        return response, variance, loading

    def errors_at(self, level: Floats) -> Floats:
        """Return the error draws around the given levels."""
        *_, width = self._scales(level)
        return np.asarray(self._error * (width * self._rescaled)[:, None])

    def _scales(self, level: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Return the mean at the given levels, the slope of the scale of pooling, how variances grow, and what errors are multiplied by."""
        mean = self._prior.linear_to * np.sinh(level)
        slope = 1 / np.sqrt(mean**2 + self._prior.linear_to**2)
        is_positive = (self._mean > 0) & (mean > 0)
        growth = np.where(is_positive, np.clip(mean / np.where(is_positive, self._mean, 1.0), 0.1, 10.0), 1.0)
        return mean, slope, growth, slope * np.sqrt(growth) if self._has_count_error else slope


def _common(response: Floats, totals: Floats, loading: Floats, prior: Spread) -> tuple[Floats, Floats]:
    """Return the log likelihood of the responses under each spread, and the common level; ``totals`` has a row for each spread."""
    information, pull, fit, log_determinant = _fits(response, totals, loading, prior)
    information += prior.precision
    log_determinant += np.log(information) - (np.log(prior.precision) if prior.precision else 0.0)
    return -0.5 * (fit - pull**2 / information + log_determinant), prior.level + pull / information


def _exactly_there(response: Floats, variance: Floats, loading: Floats, prior: Spread) -> float:
    """Return the log likelihood of the responses if no unit differs from the centre."""
    _, _, fit, log_determinant = _fits(response, variance[None, :], loading, prior)
    return float(-0.5 * (fit + log_determinant)[0])


def _fits(response: Floats, totals: Floats, loading: Floats, prior: Spread) -> tuple[Floats, Floats, Floats, Floats]:
    """Return, of each row, ``1' S 1``, ``1' S d``, ``d' S d`` and ``-log |S|``: ``d`` is how far the responses are from the level expected.

    ``S`` is the inverse of ``diag(total) + g g'``, written out by the Sherman-Morrison formula.
    """
    deviation = response - prior.level
    inverse = 1 / totals
    scaled = inverse * loading
    along, ones, pulled = scaled @ loading, scaled.sum(axis=1), scaled @ deviation
    information = inverse.sum(axis=1) - ones**2 / (1 + along)
    pull = inverse @ deviation - ones * pulled / (1 + along)
    fit = inverse @ deviation**2 - pulled**2 / (1 + along)
    return information, pull, fit, np.log(totals).sum(axis=1) + np.log1p(along)


def _solve(diagonal: Floats, loading: Floats, right: Floats) -> Floats:
    """Solve ``(diag + g g') x = right`` by the Sherman-Morrison formula."""
    scaled = loading / diagonal
    plain = right / diagonal[:, None]
    return np.asarray(plain - np.outer(scaled, (loading @ plain) / (1 + loading @ scaled)))
