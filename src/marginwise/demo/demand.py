"""Spend by campaign and day, and the customers it is expected to bring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from marginwise.demo.arrow_columns import Array
    from marginwise.demo.chance import Streams
    from marginwise.demo.named_days import NamedDays
    from marginwise.demo.personas import Personas
    from marginwise.demo.plan import StorePlan
    from marginwise.demo.season import Season
    from marginwise.demo.weather import Weather

__all__ = ["Demand"]


@dataclass(frozen=True, slots=True, eq=False)
class Demand:
    """What the campaigns spend and are expected to bring. K campaigns, P personas, D days, U kinds of untagged spend.

    Parameters
    ----------
    orders
        Expected orders, those of guests and cancelled ones included.
    customers
        Expected customers acquired. Shape (K, D).
    guests
        Expected guest orders. Shape (D,).
    intensity
        Spend over planned spend. Shape (K, D).
    spend
        Spend in cents of the currency it is billed in, 0 where there is none. Shape (K, D).
    spend_in_reporting
        The same in reporting currency, at the day's rate. Shape (K, D).
    untagged_spend
        Spend in cents of reporting currency that no campaign owns. Shape (U, D).
    densities
        For each persona, expected returns by days after the first order, per customer who comes back. Shape (P, D).
    """

    orders: int
    customers: Array
    guests: Array
    intensity: Array
    spend: Array
    spend_in_reporting: Array
    untagged_spend: Array
    densities: Array

    @classmethod
    def of(
        cls, plan: StorePlan, season: Season, weather: Weather, named_days: NamedDays, personas: Personas,
        streams: Streams, orders: int,
    ) -> Self:  # fmt: skip
        """Plan a store of ``orders`` expected orders, guests included.

        Budgets follow the season, not the weather and not what happens on a day. A campaign that spends ``i`` times its
        plan brings ``i ** elasticity`` times its customers.
        """
        rng = streams.of("spend")
        count, campaigns = season.count, plan.campaigns
        densities = personas.densities(count)
        intensity = np.vstack(
            [_intensity(rng, c.spend_noise if c.cost_per_customer else 0.0, count) for c in campaigns]
        )
        shares = np.array([c.share for c in campaigns])[:, None]
        elasticity = np.array([c.elasticity for c in campaigns])[:, None]
        day = season.demand * weather.factor
        unscaled = shares * day * named_days.demand * intensity**elasticity
        returns_to_come = np.cumsum(densities, axis=1)[:, ::-1]
        orders_each = 1 + (personas.shares * personas.first_return) @ returns_to_come
        sales = orders / (1 + plan.cancelled_rate)
        scale = sales * (1 - plan.guest_rate) / float((unscaled * orders_each).sum())
        cost = np.array([c.cost_per_customer or 0.0 for c in campaigns])[:, None]
        rates = np.vstack([season.rates(plan, c.spend_currency) for c in campaigns])
        spend = np.round(scale * shares * season.demand * intensity * cost / rates * 100).astype(np.int64)
        in_reporting = spend / 100 * rates
        untagged = np.array([item.share for item in plan.untagged_spend])[:, None] * in_reporting.sum()
        return cls(
            orders=orders,
            customers=scale * unscaled,
            guests=sales * plan.guest_rate * day / day.sum(),
            intensity=intensity,
            spend=spend,
            spend_in_reporting=in_reporting,
            untagged_spend=np.round(untagged * season.demand * 100).astype(np.int64),
            densities=densities,
        )


def _intensity(rng: np.random.Generator, noise: float, count: int) -> Array:
    """Return spend over plan: one level a week that remembers the last, and a little noise by day; mean 1."""
    weeks = count // 7 + 1
    shocks = rng.normal(0, 1, weeks).tolist()
    daily = rng.normal(0, 0.3, count)
    level, levels = 0.0, []
    for shock in shocks:
        level = 0.6 * level + 0.8 * shock
        levels.append(level)
    intensity: Array = np.exp(noise * (np.repeat(levels, 7)[:count] + daily))
    intensity /= intensity.mean()
    return intensity
