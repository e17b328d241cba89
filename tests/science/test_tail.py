from __future__ import annotations

import numpy as np
import pytest

from marginwise.science.tail import mean_excess


def drawn(excess: list[np.ndarray], draws: int = 2000) -> np.ndarray:
    rng = np.random.default_rng(1)
    unit = np.repeat(np.arange(len(excess)), [len(part) for part in excess])
    noise = rng.standard_normal((len(excess), draws))
    return mean_excess(np.concatenate(excess), unit, np.ones(len(excess)), 0.12, noise, rng).unit


def test_light_tails_give_the_plain_mean_excess() -> None:
    excess = np.random.default_rng(2).uniform(0, 2, 400)
    assert drawn([excess])[0].mean() == pytest.approx(excess.mean(), rel=0.08)


@pytest.mark.parametrize("shape", [0.2, 0.5])
def test_a_unit_with_few_exceedances_learns_the_tail_from_the_others(shape: float) -> None:
    rng = np.random.default_rng(3)

    def pareto(count: int) -> np.ndarray:
        return (rng.random(count) ** -shape - 1) / shape

    truth = 1 / (1 - shape)
    found = drawn([pareto(60) for _ in range(8)] + [np.array([0.1]), np.empty(0)])
    for unit in (8, 9):
        low, high = np.quantile(found[unit], (0.05, 0.95))
        assert low < truth < high
        assert np.median(found[unit]) == pytest.approx(truth, rel=0.3)


def test_no_exceedance_at_all_leaves_the_prior() -> None:
    assert np.isfinite(drawn([np.empty(0), np.empty(0)])).all()
