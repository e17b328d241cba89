"""Spend and budgets as tables, and the response of customers to spend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from marginwise.demo.arrow_columns import contract_table, days, labels, money

if TYPE_CHECKING:
    from marginwise.demo.arrow_columns import Array
    from marginwise.demo.chance import Streams
    from marginwise.demo.demand import Demand
    from marginwise.demo.plan import StorePlan
    from marginwise.demo.season import Season

__all__ = ["response_truths", "spend_tables"]

_COST_PER_CLICK = 0.55
_CLICK_RATE = 0.014
_MOST_FACTOR = 10.0


def spend_tables(
    plan: StorePlan, season: Season, demand: Demand, streams: Streams, store_id: str
) -> dict[str, pa.Table]:
    """Return marketing_spend (days without spend have no row) and budgets."""
    rng = streams.of("platform")
    spend = np.vstack([demand.spend, demand.untagged_spend])
    expected = np.vstack([demand.customers, np.zeros_like(demand.untagged_spend)])
    names = [*((c.channel, c.campaign, c.spend_currency) for c in plan.campaigns),
             *((item.channel, item.campaign, plan.currency) for item in plan.untagged_spend)]  # fmt: skip
    row, day = np.nonzero(spend)
    spend = spend[row, day]
    clicks = rng.poisson(spend / 100 / _COST_PER_CLICK)
    claimed = rng.poisson(1.4 * expected[row, day])
    table = contract_table(
        "marketing_spend",
        {
            "spend_date": days(season.first_day + day),
            "channel": labels(row, [channel for channel, _, _ in names]),
            "campaign": labels(row, [campaign for _, campaign, _ in names]),
            "spend_amount": money(spend),
            "currency": labels(row, [currency for _, _, currency in names]),
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
        name for name in plan.channels if any(c.channel == name and c.cost_per_customer for c in plan.campaigns)
    ]
    by_channel = [
        np.bincount(month, planned[[c.channel == name for c in plan.campaigns]].sum(axis=0)) for name in spending
    ]
    epoch = season.day(0).toordinal() - season.first_day
    return contract_table(
        "budgets",
        {
            "period": days(np.tile(starts - epoch, len(spending))),
            "channel": pa.array(np.repeat(np.array(spending, dtype=object), len(starts)), pa.string()),
            "planned_amount": money(np.round(np.ravel(by_channel) / 50) * 5_000),
        },
        store_id,
    )


def response_truths(plan: StorePlan, demand: Demand, inside: slice, earned: Array) -> list[dict[str, Any]]:
    """Return the response curve of every campaign with spend, in the days of the decision window.

    Parameters
    ----------
    plan, demand
        The store.
    inside
        Days of the window.
    earned
        Expected CM2 within the horizon, before spend, of the customers the campaign brings. Shape (K,).

    Notes
    -----
    Spending f times as much on every day brings f ** elasticity times the customers, so with earnings E at spend S the
    next unit of spend returns elasticity * E / S, and E f ** e - S f is largest at f = (e E / S) ** (1 / (1 - e)).
    """
    told = []
    for k, campaign in enumerate(plan.campaigns):
        spend = float(demand.spend_in_reporting[k, inside].sum())
        customers = float(demand.customers[k, inside].sum())
        if spend <= 0 or customers <= 0:
            continue
        power, gain = campaign.elasticity, float(earned[k]) / spend
        best = min((power * gain) ** (1 / (1 - power)), _MOST_FACTOR) if gain > 0 and power < 1 else 0.0
        told.append(
            {
                "campaign": campaign.campaign,
                "channel": campaign.channel,
                "curve": "customers = expected_customers_count * (spend / spend_amount) ** elasticity",
                "elasticity": power,
                "weekly_spend_sigma": campaign.spend_noise,
                "spend_amount": round(spend, 2),
                "expected_customers_count": round(customers, 2),
                "expected_earned_amount": round(float(earned[k]), 2),
                "marginal_customers_per_1000": round(1000 * power * customers / spend, 3),
                "marginal_return_rate": round(power * gain - 1, 4),
                "best_spend_factor": round(best, 4),
                "best_margin_amount": round(float(earned[k]) * best**power - spend * best, 2),
            }
        )
    return told
