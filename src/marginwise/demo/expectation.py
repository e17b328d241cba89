"""The planted truth in closed form: expected CM2 of an order, of a customer within the horizon, and of a window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from marginwise.demo.chance import STEPS, index_table
from marginwise.demo.customers import sizes
from marginwise.demo.demand import Demand, gap_table
from marginwise.demo.orders import line_tables
from marginwise.demo.refunds import MOST_RETURNS

if TYPE_CHECKING:
    from marginwise.demo.arrow_columns import Array
    from marginwise.demo.catalogue import Catalogue
    from marginwise.demo.plan import StorePlan
    from marginwise.demo.season import Season

__all__ = ["Expectation"]

_MEAN_GIFT_PART = 0.35


@dataclass(frozen=True, slots=True, eq=False)
class Expectation:
    """Expected values by campaign and day, in reporting currency. K campaigns, D days.

    Everything is linear in what is drawn, and every draw comes from a table or distribution with a known mean, so the
    values are exact up to rounding to cents.

    Parameters
    ----------
    first_order, later_order
        Expected CM2 of a first and of a later order of the day, with the refunds the data can show. Shape (K, D).
    customer
        Expected CM2 within the horizon of a customer acquired on the day. Shape (K, D).
    repeat_rate
        Probability of another order within the horizon. Shape (K,).
    """

    first_order: Array
    later_order: Array
    customer: Array
    repeat_rate: Array

    @classmethod
    def of(cls, plan: StorePlan, season: Season, catalogue: Catalogue, demand: Demand) -> Expectation:
        """Compute the expectations of a planned store."""
        coupon = float(np.mean(plan.coupon_percents)) / 100
        first_kept = 1 - np.array([c.coupon_rate for c in plan.campaigns]) * coupon
        later_kept = np.full(len(plan.campaigns), 1 - plan.repeat_coupon_rate * coupon)
        first = _order(plan, season, catalogue, first_kept[:, None])
        later = _order(plan, season, catalogue, later_kept[:, None])
        returned = np.zeros_like(later)
        for lag in range(1, min(plan.horizon_days, season.count - 1) + 1):
            returned[:, :-lag] += demand.density[lag] * later[:, lag:]
        within = float((gap_table(plan.repeat) <= plan.horizon_days).mean())
        return cls(
            first_order=first,
            later_order=later,
            customer=first + demand.first_return[:, None] * returned,
            repeat_rate=demand.first_return * within,
        )


def _order(plan: StorePlan, season: Season, catalogue: Catalogue, coupon_kept: Array) -> Array:
    """Return the expected CM2 of an order; ``coupon_kept`` is the share of goods left after coupons. Shape (K, D)."""
    shares = catalogue.shares()
    quantity = float(sizes(plan).mean())
    lines = line_tables(plan).mean(axis=1)[:, None]
    line_kept = 1 - plan.line_discount_rate * float(np.mean(plan.line_discount_percents)) / 100
    kept = line_kept * coupon_kept
    price, cost = catalogue.unit_price / 100, catalogue.unit_cost / 100
    free = shares * catalogue.free_rate
    goods = shares @ price * quantity * kept
    cost_of_goods = shares @ cost * quantity + free @ cost
    commission = shares @ (price * catalogue.commission[catalogue.partner] / 1e4) * quantity * kept
    charges = np.array([charge for charge, _ in plan.shipping_charges])
    shipping = float(charges @ _exact([share for _, share in plan.shipping_charges]))
    country = _exact([c.share for c in plan.countries])
    pieces = lines * (quantity + free.sum(axis=1)[:, None])
    carrier = country @ [c.shipping_cost for c in plan.countries] + pieces * (
        country @ [c.shipping_cost_per_piece for c in plan.countries])  # fmt: skip
    handling = plan.handling_per_order + plan.handling_per_line * lines
    method = _exact([p.share for p in plan.payments])
    taxed = 1 + country @ [c.tax_percent for c in plan.countries] / 100
    paid = (lines * goods + shipping) * taxed * (1 - plan.split_payment_rate * _MEAN_GIFT_PART)
    fee = paid * (method @ [p.fee_basis_points for p in plan.payments]) / 1e4 + method @ [
        p.fee_fixed for p in plan.payments
    ]
    refunds = lines * _refunds(plan, season, catalogue, shares, price * quantity, cost, kept, shipping / lines)
    expected: Array = lines * (goods - cost_of_goods - commission) + shipping - carrier - handling - fee + refunds
    return expected


def _refunds(
    plan: StorePlan, season: Season, catalogue: Catalogue, shares: Array, sold: Array, cost: Array, kept: Array,
    shipping_of_line: Array,
) -> Array:  # fmt: skip
    """Return what the refunds of one line are expected to add to CM2 (negative). Shape (K, D)."""
    factor = np.array([c.return_factor for c in plan.campaigns])[:, None]
    chance = shares * np.minimum(catalogue.return_rate * factor, MOST_RETURNS)
    quantity = float(sizes(plan).mean())
    pieces = 1 + (quantity - 1) * plan.refunds.piece_rate
    returned = chance @ (sold / quantity) * pieces * kept
    value = chance @ cost * pieces
    rate = chance.sum(axis=1)[:, None]
    total: Array = np.zeros_like(returned)
    days_left = season.count - 1 - np.arange(season.count)
    kind_shares = _exact([share for _, share, *_ in plan.refunds.kinds])
    for share, (kind, _, handling, low, high) in zip(kind_shares, plan.refunds.kinds, strict=True):
        shown = np.clip((days_left - low + 1) / (high - low + 1), 0, 1)
        paid_back = chance @ sold * kept * plan.refunds.goodwill_rate if kind == "goodwill" else returned
        restocked = {"return": plan.refunds.restock_rate, "cancellation": 1.0}.get(kind, 0.0)
        shipping = rate * shipping_of_line if kind == "chargeback" else 0.0
        total += share * shown * (restocked * value - paid_back - shipping - rate * handling)
    return total


def _exact(shares: list[float]) -> Array:
    """Return the shares with which a table of these shares is drawn."""
    return np.bincount(index_table(shares), minlength=len(shares)) / STEPS
