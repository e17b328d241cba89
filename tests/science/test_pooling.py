from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from marginwise.science.pooling import Spread, UnitMeans, _common, _exactly_there, pooled_means, pooled_rates

PRIOR = Spread(linear_to=0.5, between=0.35, centre=1.0, exactly=0.01)


def shown(means: np.ndarray, error: float, prior: Spread = PRIOR) -> np.ndarray:
    rng, units, draws = np.random.default_rng(4), len(means), 2000
    unit_draws = means[:, None] + error * rng.standard_normal((units, draws))
    customers = np.full(units, 100.0)
    evidence = UnitMeans(
        unit_draws, rng.standard_normal(draws), rng.standard_normal((units, draws)), customers, customers, False
    )
    return pooled_means(evidence, prior, rng)


def test_rates_that_do_not_differ_are_pulled_together_and_others_are_not() -> None:
    rng = np.random.default_rng(5)
    everyone = np.ones(30, dtype=bool)
    trials = np.full(30, 200.0)
    alike = rng.binomial(200, 0.1, 30).astype(float)
    apart = rng.binomial(200, np.linspace(0.02, 0.6, 30)).astype(float)
    firm = np.add(*pooled_rates(alike, trials, everyone, 2000, rng))
    loose = np.add(*pooled_rates(apart, trials, everyone, 2000, rng))
    assert np.median(firm) > 100 > 20 > np.median(loose)


def test_precise_units_keep_their_own_mean() -> None:
    means = np.array([0.3, 1.0, 4.0])
    assert shown(means, 0.01).mean(axis=1) == pytest.approx(means, rel=0.02)


def test_noise_around_one_mean_is_shrunk_away() -> None:
    means = 2.0 + 0.3 * np.random.default_rng(6).standard_normal(20)
    found = shown(means, 0.3)
    assert found.mean(axis=1).std() < 0.5 * means.std()
    assert found.mean() == pytest.approx(means.mean(), rel=0.05)


def test_units_at_break_even_are_found_to_lie_exactly_there() -> None:
    means = 1.0 + 0.1 * np.random.default_rng(7).standard_normal(12)
    assert (shown(means, 0.1) == 1.0).mean() > 0.3
    assert (shown(means + 0.6, 0.1) == 1.0).mean() < 0.01


def test_a_unit_far_from_all_others_keeps_what_it_shows() -> None:
    means = np.array([0.2, 0.8, 1.0, 1.2, 18.0, 60.0])
    found = shown(means, 0.08)
    assert found.mean(axis=1) == pytest.approx(means, rel=0.1)
    low, high = np.quantile(found, (0.02, 0.98), axis=1)
    assert ((low < means) & (means < high)).all()


@pytest.mark.parametrize("seed", range(3))
def test_each_spread_is_weighed_as_a_normal_distribution_of_all_units_weighs_it(seed: int) -> None:
    """Written out with the whole covariance matrix: what is common is normal around the level expected, give or take 1."""
    rng = np.random.default_rng(seed)
    units = int(rng.integers(1, 12))
    response, loading = rng.normal(2.0, 1.5, units), rng.normal(0.0, 0.8, units)
    totals = rng.uniform(0.1, 2.0, (5, units))
    prior = Spread(linear_to=10.0, between=0.5, centre=12.0)
    weights, levels = _common(response, totals, loading, prior)
    for total, weight, level in zip(totals, weights, levels, strict=True):
        own = np.diag(total) + np.outer(loading, loading)
        constant = 0.5 * units * np.log(2 * np.pi)
        told = multivariate_normal(np.full(units, prior.level), own + 1.0).logpdf(response)
        assert weight == pytest.approx(told + constant)
        gain = np.ones(units) @ np.linalg.inv(own + 1.0)
        assert level == pytest.approx(prior.level + gain @ (response - prior.level))
        exact = multivariate_normal(np.full(units, prior.level), own).logpdf(response)
        assert _exactly_there(response, total, loading, prior) == pytest.approx(exact + constant)
