"""What the planted parameters let expect of the customers who arrive: their CM2 within the horizon."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from marginwise.demo.chance import STEPS, index_table
from marginwise.demo.orders import line_tables
from marginwise.demo.refunds import MOST_RETURNS

if TYPE_CHECKING:
    from marginwise.demo.arrow_columns import Array
    from marginwise.demo.shop import Shop

__all__ = ["expected_lines", "expected_margins"]

_MEAN_GIFT_PART = 0.35


def expected_margins(shop: Shop, arrivals: Array, campaigns: Array) -> Array:
    """Return the expected CM2 within the horizon, in reporting currency, of customers who arrive.

    Everything is linear in what is drawn, and every draw comes from a table or distribution with a known mean, so the
    values are exact up to rounding to cents.

    Parameters
    ----------
    shop
        The store.
    arrivals
        Expected customers of each group by day of their first order. Shape (A, D).
    campaigns
        Campaign of each group. Shape (A,).

    Returns
    -------
    numpy.ndarray
        Shape (A,).
    """
    plan, personas = shop.plan, shop.personas
    groups, count = arrivals.shape
    members = arrivals[:, None, :] * personas.shares[campaigns][:, :, None]
    later = _returns(members * personas.first_return[campaigns][:, :, None], shop.demand.densities, plan.horizon_days)
    cells = (campaigns[:, None] * personas.count + np.arange(personas.count)).ravel()
    coupon = float(np.mean(plan.coupon_percents)) / 100
    first_kept = 1 - personas.first_coupon.ravel()[cells] * coupon
    later_kept = 1 - np.tile(personas.later_coupon, groups) * coupon
    used = np.flatnonzero(later.any(axis=(0, 1)) | members.any(axis=(0, 1)))
    whole = np.concatenate([members.reshape(-1, count), later.reshape(-1, count)])[:, used]
    orders = _expected_orders(shop, np.tile(cells, 2), np.concatenate([first_kept, later_kept]), whole, used)
    earned: Array = orders.reshape(2, groups, personas.count).sum(axis=(0, 2))
    return earned


def _returns(went_on: Array, densities: Array, horizon: int) -> Array:
    """Return expected later orders by day, of customers who come back at all. Shapes (A, P, D) and (P, D)."""
    count = went_on.shape[-1]
    last = min(horizon, count - 1)
    length = 1 << (count + last - 1).bit_length()
    soon = densities[:, : last + 1].copy()
    soon[:, 0] = 0.0
    spectrum = np.fft.rfft(went_on, length) * np.fft.rfft(soon, length)
    later: Array = np.maximum(np.fft.irfft(spectrum, length)[..., :count], 0.0)
    later[later < 1e-12] = 0.0
    return later


def expected_lines(shop: Shop) -> tuple[Array, Array]:
    """Return expected lines of each product per order, and the share of them that comes back. Shapes (cells, P)."""
    lines = np.repeat(line_tables(shop.plan).mean(axis=1), shop.personas.count)
    brought = shop.pairs.with_seconds(shop.catalogue.shares)
    factor = shop.personas.return_factor.ravel()
    return lines[:, None] * brought, np.minimum(shop.catalogue.return_rate * factor[:, None], MOST_RETURNS)


def _expected_orders(shop: Shop, cells: Array, coupon_kept: Array, weight: Array, days: Array) -> Array:
    """Return the expected CM2 of orders.

    Parameters
    ----------
    shop
        The store.
    cells
        Campaign and persona of each row. Shape (R,).
    coupon_kept
        Share of goods left after coupons. Shape (R,).
    weight
        Expected orders of each row on each of ``days``. Shape (R, D).
    days
        Days of the store. Shape (D,).
    """
    plan, catalogue, personas = shop.plan, shop.catalogue, shop.personas
    lines_of_cell, chance_of_cell = expected_lines(shop)
    lines, chance = lines_of_cell[cells], chance_of_cell[cells]
    persona = cells % personas.count
    quantity = personas.sizes.mean(axis=1, dtype=np.float64)[persona][:, None]
    free = lines * catalogue.free_rate[persona]
    kept = coupon_kept[:, None] * (1 - plan.line_discount_rate * float(np.mean(plan.line_discount_percents)) / 100)
    price, cost = catalogue.unit_price[:, days] / 100, catalogue.unit_cost[:, days] / 100
    commission = price * catalogue.commission[catalogue.partner_row][:, days] / 1e4
    country = _exact([c.share for c in plan.countries])
    method = _exact([p.share for p in plan.payments])
    taxed = 1 + country @ [c.tax_percent for c in plan.countries] / 100
    fee_share = taxed * (1 - plan.split_payment_rate * _MEAN_GIFT_PART)
    fee_share *= method @ [p.fee_basis_points for p in plan.payments] / 1e4
    dear = shop.named_days.fee[days]
    shipping = float(
        _exact([share for _, share in plan.shipping_charges]) @ [charge for charge, _ in plan.shipping_charges]
    )

    goods = (lines * ((weight * (1 - fee_share * dear)) @ price.T - weight @ commission.T) * quantity * kept).sum(
        axis=1
    )
    goods -= ((lines * quantity + free) * (weight @ cost.T)).sum(axis=1)
    pieces = lines.sum(axis=1) * quantity[:, 0] + free.sum(axis=1)
    carrier = country @ [c.shipping_cost for c in plan.countries]
    carrier = carrier + pieces * (country @ [c.shipping_cost_per_piece for c in plan.countries])
    handling = plan.handling_per_order + plan.handling_per_line * lines.sum(axis=1)
    fees = (weight @ dear) * (fee_share * shipping + method @ [p.fee_fixed for p in plan.payments])
    service = weight.sum(axis=1) * (shipping - carrier - handling) - fees
    shares = catalogue.shares[cells]
    first_returned = (shares * chance).sum(axis=1)
    lost = _refunds(shop, lines * chance, quantity, kept, weight, days, price, cost, shipping * first_returned)
    for recall in shop.named_days.recalls:
        inside = (days >= recall.first) & (days <= recall.last)
        is_called = np.isin(catalogue.category, recall.categories) * recall.chance
        called = lines * (1 - chance) * is_called
        back = 1 + (quantity - 1) * plan.refunds.piece_rate
        cost_of_return = next(cost for kind, _, cost, *_ in plan.refunds.kinds if kind == "return")
        lost += (called * (weight[:, inside] @ price[:, inside].T) * back * kept).sum(axis=1)
        lost += called.sum(axis=1) * cost_of_return * weight[:, inside].sum(axis=1)
    expected: Array = goods + service - lost
    return expected


def _refunds(
    shop: Shop, returned: Array, quantity: Array, kept: Array, weight: Array, days: Array, price: Array, cost: Array,
    shipping: Array,
) -> Array:  # fmt: skip
    """Return what refunds are expected to take from CM2; ``returned`` are lines per order that come back. Shape (R,)."""
    plan = shop.plan.refunds
    pieces = 1 + (quantity - 1) * plan.piece_rate
    days_left = shop.season.count - 1 - days
    paid_back, restocked = np.zeros(weight.shape), np.zeros(len(days))
    handled, shipped = np.zeros(len(days)), np.zeros(len(days))
    for share, (kind, _, handling, low, high) in zip(_exact([k[1] for k in plan.kinds]), plan.kinds, strict=True):
        shown = share * np.clip((days_left - low + 1) / (high - low + 1), 0, 1)
        paid_back += quantity * plan.goodwill_rate * shown if kind == "goodwill" else pieces * shown
        restocked += {"return": plan.restock_rate, "cancellation": 1.0}.get(kind, 0.0) * shown
        handled += handling * shown
        shipped += shown * (kind == "chargeback")
    lost = (returned * ((weight * paid_back) @ price.T) * kept).sum(axis=1)
    lost -= (returned * ((weight * restocked) @ cost.T) * pieces).sum(axis=1)
    lost += returned.sum(axis=1) * (weight @ handled) + shipping * (weight @ shipped)
    total: Array = lost
    return total


def _exact(shares: list[float]) -> Array:
    """Return the shares with which a table of these shares is drawn."""
    return np.bincount(index_table(shares), minlength=len(shares)) / STEPS
