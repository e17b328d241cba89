"""Kinds of customers: who brings which, how they come back and when they drop out for good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from marginwise.demo.chance import STEPS, heavy_tailed, index_table

if TYPE_CHECKING:
    from marginwise.demo.arrow_columns import Array
    from marginwise.demo.ingredients import PersonaPlan, RepeatPlan
    from marginwise.demo.plan import StorePlan

__all__ = ["Personas", "gap_table", "return_density"]

_MOST_RETURN = 0.98


@dataclass(frozen=True, slots=True, eq=False)
class Personas:
    """What a campaign and a persona make of a customer. K campaigns, P personas.

    A cell is a campaign and a persona, numbered ``campaign * P + persona``.

    Parameters
    ----------
    table
        For each campaign a table of personas, each equally likely. Shape (K, STEPS).
    shares
        Exact probability of each persona, by campaign. Shape (K, P).
    gaps
        For each persona a table of days between two orders. Shape (P, STEPS).
    within
        Probability that a gap is within the horizon. Shape (P,).
    first_return
        Probability that a customer ever comes back. Shape (K, P).
    repeat_rate
        Probability of another order within the horizon. Shape (K, P).
    continue_rate
        Probability of another order after the second and each later one. Shape (P,).
    sizes
        For each persona a table of pieces wanted of each line. Shape (P, STEPS).
    first_coupon, later_coupon
        Probability of a coupon on the first order, and on a later one. Shapes (K, P) and (P,).
    return_factor
        Factor on the return rate of what is bought. Shape (K, P).
    """

    table: Array
    shares: Array
    gaps: Array
    within: Array
    first_return: Array
    repeat_rate: Array
    continue_rate: Array
    sizes: Array
    first_coupon: Array
    later_coupon: Array
    return_factor: Array

    @property
    def count(self) -> int:
        """Number of personas."""
        return len(self.gaps)

    @classmethod
    def of(cls, plan: StorePlan) -> Self:
        """Mix the campaigns' personas so that each campaign's repeat rate is what was planned.

        Only a repeat rate so high that a persona would have to come back more than surely ends below the plan.
        """
        personas = plan.personas
        weights = np.array([[p.share * dict(c.personas).get(p.name, 1.0) for p in personas] for c in plan.campaigns])
        table = np.vstack([index_table(row) for row in weights]).astype(np.int8)
        shares = np.vstack([np.bincount(row, minlength=len(personas)) for row in table]) / STEPS
        gaps = np.vstack([gap_table(plan.repeat, p.median_days) for p in personas]).astype(np.int16)
        within = (gaps <= plan.horizon_days).mean(axis=1)
        factor = np.array([p.repeat_factor for p in personas])
        planned = np.array([c.repeat_rate for c in plan.campaigns])[:, None] * factor / (shares @ factor)[:, None]
        first_return = np.minimum(planned / np.maximum(within, 1e-9), _MOST_RETURN)
        coupons = np.array([p.coupon_factor for p in personas])
        first_coupon = np.array([c.coupon_rate for c in plan.campaigns])[:, None] * coupons
        returns = np.array([c.return_factor for c in plan.campaigns])[:, None]
        return cls(
            table=table,
            shares=shares,
            gaps=gaps,
            within=within,
            first_return=first_return,
            repeat_rate=first_return * within,
            continue_rate=np.array([p.continue_rate for p in personas]),
            sizes=np.vstack([_sizes(plan, persona) for persona in personas]).astype(np.float32),
            first_coupon=np.minimum(first_coupon, 0.95),
            later_coupon=np.minimum(plan.repeat_coupon_rate * coupons, 0.95),
            return_factor=returns * np.array([p.return_factor for p in personas]),
        )

    def densities(self, count: int) -> Array:
        """Return, for each persona, the expected later orders by days after the first. Shape (P, count)."""
        return np.vstack(
            [return_density(gaps, go_on, count) for gaps, go_on in zip(self.gaps, self.continue_rate, strict=True)]
        )


def _sizes(plan: StorePlan, persona: PersonaPlan) -> Array:
    pieces = heavy_tailed(plan.bulk_sigma, plan.bulk_tail) * 0.75 * persona.size_factor
    return np.clip(pieces, 1.0, 60.0)


def gap_table(plan: RepeatPlan, median_days: float) -> Array:
    """Return a table of days between two orders, each entry equally likely.

    >>> from marginwise.demo.ingredients import RepeatPlan
    >>> gaps = gap_table(RepeatPlan(), 34.0)
    >>> len(gaps) == STEPS, int(gaps.min()), bool(gaps.max() <= 365)
    (True, 2, True)
    """
    grid = np.arange(plan.shortest, plan.longest + 1)
    weights = np.exp(-((np.log(grid / median_days)) ** 2) / (2 * plan.sigma**2)) / grid
    return grid[index_table(weights)]


def return_density(gaps: Array, continue_rate: float, count: int) -> Array:
    """Return the expected number of later orders on each day after the first, given that the customer comes back.

    With f the distribution of one gap and q the probability to go on, the density u solves u = f + q f * u, which is
    solved where the convolution is a product.

    Parameters
    ----------
    gaps
        Table of days between two orders, none of them 0.
    continue_rate
        q.
    count
        Number of days; entry 0 is the day of the first order.

    Examples
    --------
    >>> from marginwise.demo.ingredients import RepeatPlan
    >>> density = return_density(gap_table(RepeatPlan(), 34.0), 0.5, 4000)
    >>> round(float(density.sum()), 6)
    2.0
    """
    length = 8 << (count - 1).bit_length()
    damping = 10.0 ** (-12 * np.arange(count) / length)  # keeps what lies beyond ``length`` from folding back
    spectrum = np.fft.rfft(np.bincount(gaps, minlength=count)[:count] / len(gaps) * damping, length)
    density: Array = np.fft.irfft(spectrum / (1 - continue_rate * spectrum), length)[:count] / damping
    return density
