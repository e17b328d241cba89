"""Who buys: customers acquired day by day, what they are like, and whether it is known where they came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from marginwise.demo.arrow_columns import Array
from marginwise.demo.chance import STEPS, Streams, draw, index_table

if TYPE_CHECKING:
    from marginwise.demo.demand import Demand
    from marginwise.demo.named_days import NamedDays
    from marginwise.demo.personas import Personas
    from marginwise.demo.plan import StorePlan

__all__ = ["Customers", "places", "traced_rates", "unassigned_campaign"]

_EARLIER_TOUCH_RATE = 0.35


@dataclass(frozen=True, slots=True, eq=False)
class Customers:
    """Customers by index, in the order they were acquired. N customers, all shapes (N,).

    Parameters
    ----------
    campaign, persona, day
        Origin, kind and day of the first order.
    country, city
        Where orders go; cities are counted over all countries.
    size
        Pieces wanted of each line: heavy-tailed, the same in all orders of a customer.
    is_led
        True when an earlier visit brought the customer, on a day before the first order.
    has_visit
        True when the visit in which the first order was placed is on record.
    traced
        Campaign that the data show: that of no origin when every visit is lost.
    """

    campaign: Array
    persona: Array
    day: Array
    country: Array
    city: Array
    size: Array
    is_led: Array
    has_visit: Array
    traced: Array

    @property
    def count(self) -> int:
        """Number of customers."""
        return len(self.day)

    @classmethod
    def of(cls, plan: StorePlan, demand: Demand, personas: Personas, named_days: NamedDays, streams: Streams) -> Self:
        """Draw who was acquired, from where and when."""
        rng = streams.of("customers")
        counts = rng.poisson(demand.customers.T)
        day = np.repeat(np.arange(counts.shape[0], dtype=np.int16), counts.sum(axis=1))
        campaign = np.repeat(np.tile(np.arange(counts.shape[1], dtype=np.int16), counts.shape[0]), counts.ravel())
        persona = personas.table.ravel().take(campaign * np.int32(STEPS) + _steps(rng, len(day)))
        country, city = places(plan, rng, len(day))
        chance = rng.random(len(day), dtype=np.float32)
        has_source = np.array([c.source is not None for c in plan.campaigns])
        seen = np.array([c.has_visits for c in plan.campaigns], dtype=np.float32)
        size = personas.sizes.ravel().take(persona * np.int32(STEPS) + _steps(rng, len(day)))
        is_led = (chance < _EARLIER_TOUCH_RATE) & has_source[campaign] & (day > 0)
        has_visit = (rng.random(len(day), dtype=np.float32) < seen[campaign]) & ~named_days.is_untracked[day]
        unassigned = unassigned_campaign(plan)
        is_traced = is_led | has_visit | (unassigned < 0)
        return cls(
            campaign=campaign,
            persona=persona,
            day=day,
            country=country,
            city=city,
            size=size,
            is_led=is_led,
            has_visit=has_visit,
            traced=np.where(is_traced, campaign, np.int16(unassigned)),
        )


def traced_rates(plan: StorePlan, named_days: NamedDays) -> Array:
    """Return the share of customers whose origin the data show, by campaign and day. Shape (K, D)."""
    led = np.array([_EARLIER_TOUCH_RATE if c.source is not None else 0.0 for c in plan.campaigns])[:, None]
    seen = np.array([c.has_visits for c in plan.campaigns])[:, None] * ~named_days.is_untracked
    rates: Array = led + (1 - led) * seen
    unassigned = unassigned_campaign(plan)
    if unassigned < 0:
        return np.ones_like(rates)
    rates[unassigned] = 1.0
    return rates


def unassigned_campaign(plan: StorePlan) -> int:
    """Return the index of the origin without a source, -1 where the plan has none."""
    return next((k for k, c in enumerate(plan.campaigns) if c.source is None), -1)


def places(plan: StorePlan, rng: np.random.Generator, count: int) -> tuple[Array, Array]:
    """Draw (country, city) indices; cities are counted over all countries."""
    country = draw(rng, index_table([c.share for c in plan.countries]).astype(np.int8), count)
    cities = np.array([len(c.cities) for c in plan.countries], dtype=np.float32)
    before = np.cumsum(cities) - cities
    chance = rng.random(count, dtype=np.float32) * np.float32(0.999999)
    return country, (before[country] + chance * cities[country]).astype(np.int8)


def _steps(rng: np.random.Generator, count: int) -> Array:
    return rng.integers(0, STEPS, count, dtype=np.uint16)
