"""What simulated stores tell of the evidence model and the rules: calibration, coverage, right and wrong verdicts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

__all__ = ["Bin", "Money", "Share", "calibration", "certain_share", "clear_right", "coverage", "false_verdict_stores", "floats", "money",
           "named_wrongly", "words"]  # fmt: skip

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_CLEAR = 3.0
_RIGHT = {(True, True): "scale", (True, False): "fix", (False, True): "fix", (False, False): "kill"}
_EDGES = (0.0, 0.02, 0.05, 0.10, 0.20, 0.35, 0.50, 0.65, 0.80, 0.90, 0.95, 0.98, 1.0)


@dataclass(frozen=True)
class Share:
    """How many of how many."""

    hits: int
    count: int

    @property
    def rate(self) -> float:
        """Their share, NaN of none."""
        return self.hits / self.count if self.count else float("nan")

    @property
    def error(self) -> float:
        """Standard error of the share."""
        return float(np.sqrt(self.rate * (1 - self.rate) / self.count)) if self.count else float("nan")


@dataclass(frozen=True)
class Bin:
    """Units of one range of P(M > 0): what was said on average, how often it was so, and the allowed difference."""

    low: float
    high: float
    said: float
    was: Share

    @property
    def allowed(self) -> float:
        """5 points and 2 standard errors."""
        return 0.05 + 2 * float(np.sqrt(self.said * (1 - self.said) / max(self.was.count, 1)))

    @property
    def holds(self) -> bool:
        """Whether what was said is what was."""
        return abs(self.was.rate - self.said) <= self.allowed


@dataclass(frozen=True)
class Money:
    """Margin at stake in verdicts, per rule: named rightly, named wrongly, and left open (absolute, of one window)."""

    right: float
    wrong: float
    left_open: float


def floats(table: pa.Table, name: str) -> Floats:
    """Return a column as floats, NaN where it is null."""
    return np.asarray(table[name].cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)


def words(table: pa.Table, name: str = "verdict") -> NDArray[np.str_]:
    """Return a column of words."""
    return np.array([str(word) for word in table[name].to_pylist()])


def calibration(table: pa.Table) -> list[Bin]:
    """Return what was said and what was so, in bins of P(M > 0) of at least 200 units where there are as many."""
    said, was = floats(table, "p_margin_positive"), floats(table, "true_margin") > 0
    is_told = ~np.isnan(said)
    said, was = said[is_told], was[is_told]
    return [
        Bin(low, high, float(said[inside].mean()), Share(int(was[inside].sum()), int(inside.sum())))
        for low, high, inside in _bins(said)
    ]


def _bins(said: Floats, least: int = 200) -> Iterator[tuple[float, float, Bools]]:
    """Yield ranges of probability, the small ones joined to the next."""
    start = _EDGES[0]
    for high in _EDGES[1:]:
        inside = (said >= start) & ((said < high) | (high == 1.0))
        if inside.sum() >= least or (high == 1.0 and inside.any()):
            yield start, high, inside
            start = high


def coverage(table: pa.Table, chosen: Bools | None = None) -> Share:
    """Return in how many units the interval of M contains the true M."""
    low, high, truth = (floats(table, name) for name in ("margin_low_amount", "margin_high_amount", "true_margin"))
    is_told = ~np.isnan(low) if chosen is None else chosen & ~np.isnan(low)
    inside = (low <= truth) & (truth <= high)
    return Share(int(inside[is_told].sum()), int(is_told.sum()))


def is_clear(table: pa.Table) -> Bools:
    """Say where the truth is clear: margin and repeat gap each at least 3 standard errors away from 0."""
    margin = np.abs(floats(table, "true_margin")) >= _CLEAR * floats(table, "standard_error")
    gap = np.abs(floats(table, "repeat_gap")) >= _CLEAR * floats(table, "repeat_gap_error")
    return np.asarray(margin & gap)


def right_verdicts(table: pa.Table) -> NDArray[np.str_]:
    """Return the verdict that the truth itself would give."""
    earns, repeats = floats(table, "true_margin") > 0, floats(table, "repeat_gap") >= 0
    return np.array([_RIGHT[bool(earn), bool(repeat)] for earn, repeat in zip(earns, repeats, strict=True)])


def clear_right(table: pa.Table) -> Share:
    """Return how many verdicts are right where the truth is clear."""
    clear = is_clear(table)
    return Share(int((words(table) == right_verdicts(table))[clear].sum()), int(clear.sum()))


def false_verdict_stores(table: pa.Table, verdict: str) -> Share:
    """Return in how many stores any unit got a verdict; where all break even each of them is a false one."""
    stores = words(table, "store")
    return Share(len(set(stores[words(table) == verdict])), len(set(stores)))


def named_wrongly(table: pa.Table, verdict: str) -> Share:
    """Return how many of the units named Scale do not earn, or of those named Kill do not burn."""
    named, margin = words(table) == verdict, floats(table, "true_margin")
    wrong = margin <= 0 if verdict == "scale" else margin >= 0
    return Share(int((named & wrong).sum()), int(named.sum()))


def money(table: pa.Table) -> tuple[Money, Money]:
    """Return the margin at stake under our verdicts and under the plain sign of the observed margin."""
    margin, word = floats(table, "true_margin"), words(table)
    observed = floats(table, "margin_amount")
    return (
        _stake(margin, word == "scale", word == "kill"),
        _stake(margin, observed > 0, observed < 0),
    )


def certain_share(table: pa.Table) -> float:
    """Return how much of the margin left open lies where its sign was certain enough and the repeat rate decided."""
    margin, chance, word = np.abs(floats(table, "true_margin")), floats(table, "p_margin_positive"), words(table)
    is_open, is_certain = (word == "fix") | (word == "insufficient"), (chance >= 0.90) | (chance <= 0.05)
    return float(margin[is_open & is_certain & (word == "fix")].sum() / max(float(margin[is_open].sum()), 1e-9))


def _stake(margin: Floats, is_scaled: Bools, is_killed: Bools) -> Money:
    size = np.abs(margin)
    wrong = (is_scaled & (margin < 0)) | (is_killed & (margin > 0))
    named = is_scaled | is_killed
    return Money(float(size[named & ~wrong].sum()), float(size[wrong].sum()), float(size[~named].sum()))
