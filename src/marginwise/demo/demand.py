"""Spend by campaign and day, the customers it is expected to bring, and how often they are expected to return."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from marginwise.demo.arrow_columns import Array, contract_table, days, labels, money
from marginwise.demo.chance import STEPS, Streams

if TYPE_CHECKING:
    from marginwise.demo.plan import RepeatPlan, StorePlan
    from marginwise.demo.season import Season

__all__ = ["Demand", "gap_table", "return_density", "spend_tables"]

_COST_PER_CLICK = 0.55
_CLICK_RATE = 0.014


@dataclass(frozen=True, slots=True, eq=False)
class Demand:
    """What the campaigns spend and are expected to bring. K campaigns, D days.

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
    first_return
        Probability that a customer ever comes back. Shape (K,).
    density
        Expected returns on each day after the first order, per customer who comes back at all. Shape (D,).
    """

    orders: int
    customers: Array
    guests: Array
    intensity: Array
    spend: Array
    spend_in_reporting: Array
    first_return: Array
    density: Array

    @classmethod
    def of(cls, plan: StorePlan, season: Season, streams: Streams, orders: int) -> Demand:
        """Plan a store of ``orders`` expected orders, guests included."""
        rng = streams.of("spend")
        count = season.count
        gaps = gap_table(plan.repeat)
        within = float((gaps <= plan.horizon_days).mean())
        first_return = np.array([campaign.repeat_rate for campaign in plan.campaigns]) / within
        density = return_density(plan.repeat, count)
        intensity = np.vstack(
            [
                _intensity(rng, campaign.spend_noise if _spends(campaign.cost_per_customer) else 0.0, count)
                for campaign in plan.campaigns
            ]
        )
        shares = np.array([campaign.share for campaign in plan.campaigns])[:, None]
        elasticity = np.array([campaign.elasticity for campaign in plan.campaigns])[:, None]
        unscaled = shares * season.demand * intensity**elasticity
        returns_to_come = np.cumsum(density)[::-1]
        orders_each = 1 + first_return[:, None] * returns_to_come
        sales = orders / (1 + plan.cancelled_rate)
        scale = sales * (1 - plan.guest_rate) / float((unscaled * orders_each).sum())
        cost = np.array([campaign.cost_per_customer or 0.0 for campaign in plan.campaigns])[:, None]
        rates = np.vstack([_rate(plan, season, campaign.spend_currency) for campaign in plan.campaigns])
        spend = np.round(scale * shares * season.demand * intensity * cost / rates * 100).astype(np.int64)
        return cls(
            orders=orders,
            customers=scale * unscaled,
            guests=sales * plan.guest_rate * season.demand,
            intensity=intensity,
            spend=spend,
            spend_in_reporting=spend / 100 * rates,
            first_return=first_return,
            density=density,
        )


def gap_table(plan: RepeatPlan) -> Array:
    """Return a table of days between two orders, each entry equally likely.

    >>> from marginwise.demo.plan import RepeatPlan
    >>> gaps = gap_table(RepeatPlan())
    >>> len(gaps) == STEPS, int(gaps.min()), bool(gaps.max() <= 365)
    (True, 2, True)
    """
    grid = np.arange(plan.shortest, plan.longest + 1)
    weights = np.exp(-((np.log(grid / plan.median_days)) ** 2) / (2 * plan.sigma**2)) / grid
    edges = np.round(np.cumsum(weights) / weights.sum() * STEPS).astype(int)
    return np.repeat(grid, np.diff(edges, prepend=0))


def return_density(plan: RepeatPlan, count: int) -> Array:
    """Return the expected number of later orders on each day after the first, given that the customer comes back.

    With f the distribution of one gap and q the probability to go on, the density is f + q f*f + q² f*f*f + …

    Parameters
    ----------
    plan
        The renewal process.
    count
        Number of days; entry 0 is the day of the first order.

    Examples
    --------
    >>> from marginwise.demo.plan import RepeatPlan
    >>> density = return_density(RepeatPlan(continue_rate=0.5), 4000)
    >>> round(float(density.sum()), 6)
    2.0
    """
    gap = np.bincount(gap_table(plan), minlength=count)[:count] / STEPS
    total = term = gap
    while term.sum() > 1e-12:
        term = plan.continue_rate * np.convolve(term, gap)[:count]
        total = total + term
    return total


def spend_tables(
    plan: StorePlan, season: Season, demand: Demand, streams: Streams, store_id: str
) -> dict[str, pa.Table]:
    """Return marketing_spend (days without spend have no row) and budgets."""
    rng = streams.of("platform")
    campaign, day = np.nonzero(demand.spend)
    spend = demand.spend[campaign, day]
    clicks = rng.poisson(spend / 100 / _COST_PER_CLICK)
    claimed = rng.poisson(1.4 * demand.customers[campaign, day])
    table = contract_table(
        "marketing_spend",
        {
            "spend_date": days(season.first_day + day),
            "channel": labels(campaign, [c.channel for c in plan.campaigns]),
            "campaign": labels(campaign, [c.campaign for c in plan.campaigns]),
            "spend_amount": money(spend),
            "currency": labels(campaign, [c.spend_currency for c in plan.campaigns]),
            "impressions": pa.array(np.round(clicks / _CLICK_RATE).astype(np.int64)),
            "clicks": pa.array(clicks),
            "platform_conversions": pa.array(claimed),
            "platform_revenue_amount": money(claimed * 7_200),
        },
        store_id,
    )
    return {"marketing_spend": table, "budgets": _budgets(plan, season, demand, store_id)}


def _budgets(plan: StorePlan, season: Season, demand: Demand, store_id: str) -> pa.Table:
    """Return what each paid channel was to spend in each month: the plan, without the noise of the weeks."""
    months = np.array([season.day(i).replace(day=1).toordinal() for i in range(season.count)])
    starts, month = np.unique(months, return_inverse=True)
    planned = demand.spend_in_reporting / demand.intensity
    spending = [
        name
        for name in plan.channels
        if any(c.channel == name and _spends(c.cost_per_customer) for c in plan.campaigns)
    ]
    by_channel = np.vstack(
        [np.bincount(month, planned[[c.channel == name for c in plan.campaigns]].sum(axis=0)) for name in spending]
    )
    epoch = season.day(0).toordinal() - season.first_day
    return contract_table(
        "budgets",
        {
            "period": days(np.tile(starts - epoch, len(spending))),
            "channel": pa.array(np.repeat(spending, len(starts))),
            "planned_amount": money(np.round(by_channel.ravel() / 50) * 5_000),
        },
        store_id,
    )


def _spends(cost_per_customer: float | None) -> bool:
    return bool(cost_per_customer)


def _rate(plan: StorePlan, season: Season, currency: str) -> Array:
    if currency == plan.currency:
        return np.ones(season.count)
    row = [name for name, _ in plan.foreign_rates].index(currency)
    rates: Array = season.foreign_rates[row] / 1e6
    return rates


def _intensity(rng: np.random.Generator, noise: float, count: int) -> Array:
    """Return spend over plan: one level a week that remembers the last, and a little noise by day; mean 1."""
    weeks = count // 7 + 1
    shocks = rng.normal(0, 1, weeks)
    daily = rng.normal(0, 0.3, count)
    level = np.zeros(weeks)
    for week in range(weeks):
        level[week] = (0.6 * level[week - 1] if week else 0.0) + 0.8 * shocks[week]
    intensity: Array = np.exp(noise * (np.repeat(level, 7)[:count] + daily))
    intensity /= intensity.mean()
    return intensity
