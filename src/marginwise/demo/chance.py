"""Seeded chance: named random streams, and draws from tables whose mean is known exactly."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from marginwise.demo.arrow_columns import Array

__all__ = ["STEPS", "Streams", "draw", "heavy_tailed", "index_table", "quantiles"]

STEPS = 1 << 12
"""Entries of a table that is drawn from."""

_TAIL_FROM = 0.95


class Streams:
    """Random streams by name, so that a change to one part leaves the others as they were.

    Parameters
    ----------
    seed
        Seed of the store.
    part
        Part of the store; each has streams of its own.

    Examples
    --------
    >>> bool(Streams(7).of("lines").random() == Streams(7).of("lines").random())
    True
    """

    def __init__(self, seed: int, part: int = 0) -> None:
        self._seed = seed
        self._part = part

    def of(self, name: str) -> np.random.Generator:
        """Return the stream called ``name``, from its beginning."""
        return np.random.Generator(np.random.SFC64([self._seed, self._part, zlib.crc32(name.encode())]))


def index_table(shares: Sequence[float] | Array, steps: int = STEPS) -> Array:
    """Return a table of ``steps`` indices in which index i stands in proportion to ``shares[i]``.

    The proportions are exact multiples of 1 ÷ ``steps``, so expectations from the table are those of the draws.

    >>> np.bincount(index_table([0.25, 0.75], steps=8)).tolist()
    [2, 6]
    """
    edges = np.round(np.cumsum(np.asarray(shares, dtype=float)) / np.sum(shares) * steps).astype(int)
    return np.repeat(np.arange(len(edges)), np.diff(edges, prepend=0))


def quantiles(inverse: Callable[[Array], Array], steps: int = STEPS) -> Array:
    """Return the ``steps`` mid-point quantiles of a distribution given by its inverse distribution function.

    >>> quantiles(lambda u: u, steps=4).tolist()
    [0.125, 0.375, 0.625, 0.875]
    """
    return inverse((np.arange(steps) + 0.5) / steps)


def heavy_tailed(sigma: float, tail: float, steps: int = STEPS) -> Array:
    """Return quantiles of a lognormal of median 1 whose top twentieth is Pareto with exponent ``tail``.

    >>> sizes = heavy_tailed(0.5, 2.5, steps=1000)
    >>> bool(sizes[499] < 1.01 and sizes[-1] > 2 * sizes[949])
    True
    """

    def inverse(u: Array) -> Array:
        body = np.exp(sigma * _normal_quantile(np.minimum(u, _TAIL_FROM)))
        top: Array = ((1 - np.maximum(u, _TAIL_FROM)) / (1 - _TAIL_FROM)) ** (-1 / tail)
        return body * top

    return quantiles(inverse, steps)


def draw(rng: np.random.Generator, table: Array, size: int) -> Array:
    """Return ``size`` entries of ``table``, each equally likely; at most 2**16 of them."""
    chosen: Array = table[rng.integers(0, len(table), size, dtype=np.uint16)]
    return chosen


def _normal_quantile(u: Array) -> Array:
    """Inverse normal distribution function to 4.5e-4 (Abramowitz and Stegun, 26.2.23)."""
    lower = np.minimum(u, 1 - u)
    t = np.sqrt(-2 * np.log(lower))
    z = t - (2.515517 + 0.802853 * t + 0.010328 * t**2) / (1 + 1.432788 * t + 0.189269 * t**2 + 0.001308 * t**3)
    signed: Array = np.where(u < 0.5, -z, z)
    return signed
