"""Which stores are simulated: a store's traits are drawn from its seed, so that no store is picked by hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.truth.tails import TAILS

__all__ = ["SEED", "SIZES", "StorePlan", "break_even_plans", "campaign_plans", "store_plans", "untagged_plans"]

SEED = 900

SIZES = {"few": (1.0, 20.0), "small": (15.0, 150.0), "middle": (60.0, 600.0), "large": (300.0, 3000.0),
         "unequal": (3.0, 2000.0)}  # fmt: skip
_STORES, _BREAK_EVEN, _CAMPAIGNS, _UNTAGGED = range(4)


@dataclass(frozen=True)
class StorePlan:
    """What a simulated store is like.

    Attributes
    ----------
    seed
        Seeds everything that is drawn.
    tail
        Tail of CM2 per customer (`tails.TAILS`), or ``own``: every unit has another one.
    units
        Channels that are paid for.
    customers
        Range of the expected customers per unit, log-uniform between.
    return_centre, return_spread
        Logarithm of CM2 earned per unit of money spent: where it lies over the store, and how it spreads over units.
        With both 0 every unit exactly breaks even.
    few_differ
        Instead of normally spread, three in ten units lie far off and the others near the centre.
    mean_spread, repeat_spread
        Spread of the mean CM2 (logarithm) and of the repeat rate (logit) over units.
    untagged_rate
        Share of customers whose channel is lost, so that they stand as Unassigned.
    turns
        Whether the unit that earns most begins to burn on the way (stores that are followed over months).
    size
        Name of the range of customers, for the report.
    """

    seed: tuple[int, ...]
    tail: str = "lognormal-1.5"
    units: int = 6
    customers: tuple[float, float] = (40.0, 600.0)
    return_centre: float = 0.0
    return_spread: float = 0.35
    few_differ: bool = False
    mean_spread: float = 0.35
    repeat_spread: float = 0.35
    untagged_rate: float = 0.0
    turns: bool = False
    size: str = ""


def store_plans(count: int, seed: int) -> list[StorePlan]:
    """Return stores whose units earn and burn: every tail, size, spend and return, around break-even and away from it.

    >>> len({plan.tail for plan in store_plans(200, 1)})
    8
    """
    return [_drawn((seed, _STORES, number), breaks_even=False) for number in range(count)]


def break_even_plans(count: int, seed: int) -> list[StorePlan]:
    """Return stores in which every unit exactly breaks even, so that each Scale and each Kill is a false one."""
    return [_drawn((seed, _BREAK_EVEN, number), breaks_even=True) for number in range(count)]


def campaign_plans(count: int, seed: int) -> list[StorePlan]:
    """Return stores of 60 campaigns that all break even."""
    tails = ("gamma", "lognormal-1", "lognormal-1.5", "lognormal-2", "mixed")
    return [
        StorePlan((seed, _CAMPAIGNS, number), tails[number % len(tails)], units=60, customers=(30.0, 300.0),
                  return_spread=0.0)
        for number in range(count)
    ]  # fmt: skip


def untagged_plans(count: int, seed: int) -> list[StorePlan]:
    """Return stores that lose the channel of a part of their customers."""
    rates = (0.02, 0.05, 0.10, 0.20)
    return [
        StorePlan((seed, _UNTAGGED, number), "lognormal-1", customers=(60.0, 600.0), return_spread=0.8,
                  repeat_spread=0.7, untagged_rate=rates[number % len(rates)])
        for number in range(count)
    ]  # fmt: skip


def _drawn(seed: tuple[int, ...], *, breaks_even: bool) -> StorePlan:
    rng = np.random.default_rng([*seed, 1])
    size = str(rng.choice(list(SIZES)))
    return StorePlan(
        seed=seed,
        tail=str(rng.choice([*TAILS, "own"])),
        units=int(rng.integers(2, 13)),
        customers=SIZES[size],
        return_centre=0.0 if breaks_even else float(rng.choice([-0.5, -0.2, 0.0, 0.2, 0.5])),
        return_spread=0.0 if breaks_even else float(rng.choice([0.1, 0.35, 0.8])),
        few_differ=not breaks_even and bool(rng.random() < 0.25),
        mean_spread=float(rng.choice([0.1, 0.35, 0.7])),
        repeat_spread=float(rng.choice([0.1, 0.35, 0.7])),
        size=size,
    )
