"""The truth of every channel and campaign: margin, repeat rate and verdict in the decision window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from marginwise.demo.customers import traced_rates, unassigned_campaign
from marginwise.demo.expectation import expected_margins
from marginwise.demo.truth import FEW_TO_REPEAT, UnitTruth, Window, true_verdict

if TYPE_CHECKING:
    from marginwise.demo.arrow_columns import Array
    from marginwise.demo.customers import Customers
    from marginwise.demo.outcome import Outcome
    from marginwise.demo.plan import StorePlan
    from marginwise.demo.shop import Shop

__all__ = ["Planned", "unit_truths"]

UNASSIGNED = "Unassigned"
_CLEAR = 3.0
_NO_CHANNEL = {"", "(none)", "(not set)", "(unknown)", "none", "not set", "unknown", "unassigned"}


@dataclass(frozen=True, slots=True, eq=False)
class Planned:
    """Expected values of the window by campaign as the data show it, shapes (K,).

    Parameters
    ----------
    count
        Expected customers.
    earned
        Their expected CM2 within the horizon, before spend.
    repeating
        Expected customers with another order within the horizon.
    spend
        Spend.
    untagged
        Spend that no campaign owns, by the channel it is counted under.
    """

    count: Array
    earned: Array
    repeating: Array
    spend: Array
    untagged: dict[str, float]

    @classmethod
    def of(cls, shop: Shop, window: Window) -> Self:
        """Compute what the plan lets expect; customers whose visits were lost count as Unassigned."""
        plan, demand, personas = shop.plan, shop.demand, shop.personas
        inside = slice(window.start, max(window.start, window.end + 1))
        campaigns = np.arange(len(plan.campaigns))
        arrivals = np.zeros_like(demand.customers)
        arrivals[:, inside] = demand.customers[:, inside]
        traced = traced_rates(plan, shop.named_days)
        shown, hidden = arrivals * traced, arrivals * (1 - traced)
        lost = np.flatnonzero(hidden.any(axis=1))
        repeat = (personas.shares * personas.repeat_rate).sum(axis=1)
        count, earned = shown.sum(axis=1), expected_margins(shop, shown, campaigns)
        repeating = count * repeat
        if len(lost):
            owner, strangers = unassigned_campaign(plan), hidden[lost].sum(axis=1)
            count[owner] += strangers.sum()
            earned[owner] += expected_margins(shop, hidden[lost], lost).sum()
            repeating[owner] += strangers @ repeat[lost]
        untagged: dict[str, float] = {}
        for item, spend in zip(plan.untagged_spend, demand.untagged_spend, strict=True):
            name = UNASSIGNED if item.channel.casefold() in _NO_CHANNEL else item.channel
            untagged[name] = untagged.get(name, 0.0) + float(spend[inside].sum()) / 100
        return cls(
            count=count,
            earned=earned,
            repeating=repeating,
            spend=demand.spend_in_reporting[:, inside].sum(axis=1),
            untagged=untagged,
        )

    def customers(self, rows: Array) -> float:
        """Return the expected customers of some campaigns."""
        return float(self.count[rows].sum())

    def repeat(self, rows: Array) -> float:
        """Return the expected repeat rate of some campaigns."""
        return float(self.repeating[rows].sum()) / max(self.customers(rows), 1e-9)

    def repeat_variance(self, rows: Array) -> float:
        """Return the variance of the repeat rate that some campaigns show."""
        return self.repeat(rows) * (1 - self.repeat(rows)) / max(self.customers(rows), 1e-9)


def unit_truths(
    shop: Shop, window: Window, planned: Planned, customers: Customers, outcome: Outcome
) -> tuple[UnitTruth, ...]:
    """Return the truth of every channel and named campaign, in the order of the plan."""
    plan = shop.plan
    is_inside = (customers.day >= window.start) & (customers.day <= window.end)
    origin = customers.traced
    everyone = np.flatnonzero(is_inside)
    by_origin = everyone[np.argsort(origin[everyone], kind="stable")]
    drawn = np.split(by_origin, np.searchsorted(origin[by_origin], np.arange(1, len(plan.campaigns))))
    everything = np.arange(len(plan.campaigns))
    unassigned = np.array([k for k, c in enumerate(plan.campaigns) if c.channel == UNASSIGNED], dtype=np.int64)
    repeated = np.array([int(outcome.has_repeated[members].sum()) for members in drawn])
    sizes = np.array([len(members) for members in drawn])
    square_of_all = float(np.mean(outcome.margin[everyone] ** 2)) if len(everyone) else 0.0

    def squares(rows: Array) -> float:
        """Variance of the margin that these campaigns bring, for a Poisson number of customers."""
        members = np.concatenate([everyone[:0], *(drawn[k] for k in rows)])
        many = len(members) >= FEW_TO_REPEAT
        return planned.customers(rows) * (float(np.mean(outcome.margin[members] ** 2)) if many else square_of_all)

    units = []
    for kind, name, members in _members(plan, planned):
        rows = np.array(members, dtype=np.int64)
        rest = np.setdiff1d(everything, rows)
        given = np.union1d(rows, unassigned)
        channel = plan.campaigns[members[0]].channel if members else name
        is_paid = any(_is_paid(plan, k) for k in members) if members else name != UNASSIGNED
        has_spend = all(plan.campaigns[k].cost_per_customer is not None for k in members if _is_paid(plan, k))
        has_lever = channel != UNASSIGNED
        spend = float(planned.spend[rows].sum()) + (planned.untagged.get(name, 0.0) if kind == "channel" else 0.0)
        expected = float(planned.earned[rows].sum()) - spend
        expected_given = float(planned.earned[given].sum()) - spend
        error, error_given = np.sqrt(squares(rows)), np.sqrt(squares(given))
        repeat, rest_repeat = planned.repeat(rows), planned.repeat(rest)
        verdict, reason = true_verdict(
            has_spend=has_spend,
            margin=expected,
            margin_error=float(error),
            customers=planned.customers(rows),
            repeat=repeat,
            rest=rest_repeat,
            given_margin=expected_given,
            given_repeat=planned.repeat(given),
            given_rest=planned.repeat(np.setdiff1d(rest, given)),
        )
        count = int(sizes[rows].sum())
        mine = np.concatenate([everyone[:0], *(drawn[k] for k in rows)])
        realised = float(outcome.margin[mine].sum()) - spend
        is_far = abs(expected) >= _CLEAR * error and abs(expected_given) >= _CLEAR * error_given
        gap_error = np.sqrt(planned.repeat_variance(rows) + planned.repeat_variance(rest))
        units.append(
            UnitTruth(
                unit_kind=kind,
                unit_name=name,
                channel_name=channel,
                is_paid=is_paid,
                lever=("budget" if is_paid else "effort") if has_lever else None,
                has_spend=has_spend,
                spend_amount=round(spend, 2) if has_spend else None,
                expected_customers_count=round(planned.customers(rows), 2),
                realised_customers_count=count,
                expected_margin_amount=round(expected, 2),
                realised_margin_amount=round(realised, 2),
                margin_standard_error=round(float(error), 2),
                expected_margin_per_customer_amount=round(expected / max(planned.customers(rows), 1e-9), 4)
                if members
                else None,
                realised_margin_per_customer_amount=round(realised / count, 4) if count else None,
                expected_repeat_rate=round(repeat, 6),
                realised_repeat_rate=round(int(repeated[rows].sum()) / count, 6) if count else None,
                expected_rest_repeat_rate=round(rest_repeat, 6),
                realised_rest_repeat_rate=_share(int(repeated[rest].sum()), int(sizes[rest].sum())),
                verdict=verdict if has_lever else None,
                reason=reason if has_lever else "no lever",
                is_margin_clear=bool(has_spend and is_far),
                is_repeat_clear=bool(abs(repeat - rest_repeat) >= _CLEAR * gap_error),
            )
        )
    return tuple(units)


def _members(plan: StorePlan, planned: Planned) -> list[tuple[str, str, list[int]]]:
    names = [*plan.channels, *(name for name in planned.untagged if name not in plan.channels)]
    channels = [("channel", name, [k for k, c in enumerate(plan.campaigns) if c.channel == name]) for name in names]
    return channels + [("campaign", c.campaign, [k]) for k, c in enumerate(plan.campaigns) if c.campaign is not None]


def _is_paid(plan: StorePlan, campaign: int) -> bool:
    """Return True when the data show that the campaign is paid for: by its spend, by its visits or by its channel."""
    item = plan.campaigns[campaign]
    return item.is_paid and (bool(item.cost_per_customer) or plan.sessions_per_order > 0 or not item.is_declared)


def _share(count: int, of: int) -> float | None:
    return round(count / of, 6) if of else None
