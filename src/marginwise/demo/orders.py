"""Orders and their lines in whole cents: prices, discounts, tax, shipping, fees, commission and payments."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Self

import numpy as np

from marginwise.demo.chance import STEPS, Streams, draw, index_table
from marginwise.demo.visits import CANCELLED, SALE, Visits

if TYPE_CHECKING:
    from marginwise.demo.arrow_columns import Array
    from marginwise.demo.plan import StorePlan
    from marginwise.demo.season import Season
    from marginwise.demo.shop import Shop

__all__ = ["Lines", "Orders", "line_tables"]

_MOST_LINES = 24


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Order lines, in the order of their orders. L lines; cents of the order's currency unless said.

    Parameters
    ----------
    order, number
        Index of the order and position in it, from 1. Shape (L,).
    product, quantity, free
        Product index, pieces sold and pieces given. Shape (L,).
    unit_price, discount, net, tax
        Price of a piece, discount of the line, line after its discount, tax. Shape (L,).
    unit_cost
        Cost of a piece in cents of reporting currency. Shape (L,).
    days_late
        Days between the day promised and the day of arrival; negative for early ones. Shape (L,).
    """

    order: Array
    number: Array
    product: Array
    quantity: Array
    free: Array
    unit_price: Array
    discount: Array
    net: Array
    tax: Array
    unit_cost: Array
    days_late: Array


@dataclass(frozen=True, slots=True, eq=False)
class Orders:
    """Orders sorted by time, test and void ones included. O orders; cents of the order's currency.

    Parameters
    ----------
    before
        Number before that of the first order.
    visits
        Who ordered when. All shapes (O,).
    rate
        Reporting currency per unit of the order's currency, at the order's day.
    first_line
        Index of the order's first line.
    line_count, pieces
        Lines, and pieces with free ones.
    cell
        Campaign and persona, see :class:`~marginwise.demo.personas.Personas`.
    goods, discount, coupon_percent
        Lines after their discounts; the coupon on the whole order, in cents and percent.
    shipping, shipping_tax, shipping_cost, handling, fee, commission
        Charged and spent; 0 for an order that was cancelled before shipping.
    tax
        Tax of all lines.
    gift
        Part paid with a gift card, 0 for most.
    method
        Index of the means of payment of the rest.
    lines
        The lines.
    """

    before: int
    visits: Visits
    cell: Array
    rate: Array
    first_line: Array
    line_count: Array
    pieces: Array
    goods: Array
    discount: Array
    coupon_percent: Array
    shipping: Array
    shipping_tax: Array
    shipping_cost: Array
    handling: Array
    fee: Array
    commission: Array
    tax: Array
    gift: Array
    method: Array
    lines: Lines

    @property
    def count(self) -> int:
        """Number of orders."""
        return self.visits.count

    @property
    def is_counted(self) -> Array:
        """True for orders that are neither test nor void: sales and cancelled orders."""
        is_counted: Array = self.visits.kind <= CANCELLED
        return is_counted

    @property
    def is_sale(self) -> Array:
        """True for orders that are neither test nor void nor cancelled."""
        is_sale: Array = self.visits.kind == SALE
        return is_sale

    def number(self, order: Array) -> Array:
        """Return the order numbers of the orders at ``order``; -1 stays -1."""
        return np.where(order < 0, -1, order + (self.before + 1))

    @classmethod
    def of(cls, shop: Shop, visits: Visits, streams: Streams, before: int) -> Self:
        """Fill every visit's basket and price it."""
        plan, season, personas = shop.plan, shop.season, shop.personas
        rng = streams.of("orders")
        count = visits.count
        rate = _order_rates(plan, season, visits)
        cell = visits.campaign * np.int16(personas.count) + visits.persona
        drawn = line_tables(plan).ravel().take(visits.campaign * np.int32(STEPS) + _steps(rng, count))
        first_coupon, later_coupon = (
            personas.first_coupon.ravel().take(cell),
            personas.later_coupon.take(visits.persona),
        )
        has_coupon = rng.random(count, dtype=np.float32) < np.where(visits.is_first, first_coupon, later_coupon)
        coupon = np.where(has_coupon, draw(rng, np.array(plan.coupon_percents), count), 0)
        countries = visits.country
        is_alive = visits.kind != CANCELLED
        tax_percent = np.array([c.tax_percent for c in plan.countries]).take(countries)
        order, product = _baskets(shop, visits, cell, drawn, streams.of("baskets"))
        lines, royalty = _lines(shop, visits, order, product, rate, tax_percent, coupon, streams.of("lines"))
        line_count = np.bincount(order, minlength=count)
        first_line = np.cumsum(line_count) - line_count
        lines.number[:] = np.arange(1, len(order) + 1) - first_line.take(order)
        goods = np.add.reduceat(lines.net, first_line)
        discount = (goods * coupon + 50) // 100
        pieces = np.add.reduceat(lines.quantity + lines.free, first_line)
        charges = np.array([charge for charge, _ in plan.shipping_charges])
        charged = draw(rng, charges[index_table([share for _, share in plan.shipping_charges])], count)
        carrier = np.array([c.shipping_cost for c in plan.countries]).take(countries)
        carrier += pieces * np.array([c.shipping_cost_per_piece for c in plan.countries]).take(countries)
        shipping = _cents(charged * is_alive, rate)
        shipping_tax = (shipping * tax_percent + 50) // 100
        tax = np.add.reduceat(lines.tax, first_line) * is_alive
        method = draw(rng, index_table([p.share for p in plan.payments]).astype(np.int8), count)
        total = (goods - discount + shipping + shipping_tax + tax) * is_alive
        is_split = rng.random(count, dtype=np.float32) < plan.split_payment_rate
        gift = np.where(is_split, np.round(total * rng.uniform(0.2, 0.5, count)), 0).astype(np.int64)
        basis_points = np.array([p.fee_basis_points for p in plan.payments]).take(method)
        fixed = np.array([p.fee_fixed for p in plan.payments]).take(method)
        dear = is_alive * shop.named_days.fee.take(visits.day)
        fee = np.round(((total - gift) * (basis_points / 1e4) + fixed * 100 / rate) * dear).astype(np.int64)
        commission = np.add.reduceat(lines.net * royalty, first_line) * (100 - coupon) / 1e6
        return cls(
            before=before,
            visits=visits,
            cell=cell,
            rate=rate,
            first_line=first_line,
            line_count=line_count,
            pieces=pieces,
            goods=goods,
            discount=discount,
            coupon_percent=coupon,
            shipping=shipping,
            shipping_tax=shipping_tax,
            shipping_cost=_cents(carrier * is_alive, rate),
            handling=_cents((plan.handling_per_order + plan.handling_per_line * line_count) * is_alive, rate),
            fee=fee,
            commission=np.round(commission * is_alive).astype(np.int64),
            tax=tax,
            gift=gift,
            method=method,
            lines=lines,
        )

    def margin(self) -> Array:
        """Return CM2 before refunds in reporting currency; 0 for cancelled, test and void orders. Shape (O,)."""
        lines = self.lines
        cost = np.add.reduceat((lines.quantity + lines.free) * lines.unit_cost, self.first_line)
        earned = self.goods - self.discount + self.shipping
        spent = self.shipping_cost + self.handling + self.fee + self.commission
        return np.where(self.is_sale, (earned - spent) * self.rate - cost, 0.0) / 100


@lru_cache(maxsize=1)
def line_tables(plan: StorePlan) -> Array:
    """Return, for each campaign, a table of equally likely counts of lines drawn. Shape (K, STEPS)."""
    counts = np.arange(1, _MOST_LINES + 1)
    tables = []
    for campaign in plan.campaigns:
        more = 1 - 1 / campaign.lines_per_order
        tables.append(index_table((1 - more) * more ** (counts - 1)) + 1)
    whole: Array = np.vstack(tables).astype(np.int8)
    whole.setflags(write=False)
    return whole


def _steps(rng: np.random.Generator, count: int) -> Array:
    return rng.integers(0, STEPS, count, dtype=np.uint16)


def _order_rates(plan: StorePlan, season: Season, visits: Visits) -> Array:
    rates = np.vstack([season.rates(plan, country.currency) for country in plan.countries])
    return rates.ravel().take(visits.country * np.int32(season.count) + visits.day)


def _cents(amount: Array, rate: Array) -> Array:
    """Return reporting currency as whole cents of the order's currency."""
    return np.floor(amount * 100 / rate + 0.5).astype(np.int64)


def _baskets(shop: Shop, visits: Visits, cell: Array, drawn: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return (order, product) of every line: those drawn, each followed by the one it brings."""
    order = np.repeat(np.arange(visits.count, dtype=np.int32), drawn)
    choice = shop.catalogue.choice.ravel()
    product = choice.take(np.repeat(cell * np.int32(STEPS), drawn) + _steps(rng, len(order)))
    brings = np.flatnonzero(shop.pairs.attach_rate.take(product) > rng.random(len(order), dtype=np.float32))
    again = np.ones(len(order), dtype=np.int8)
    again[brings] = 2
    order, whole = np.repeat(order, again), np.repeat(product, again)
    whole[brings + np.arange(1, len(brings) + 1)] = shop.pairs.second.take(product[brings])
    return order, whole


def _lines(
    shop: Shop, visits: Visits, order: Array, product: Array, rate: Array, tax_percent: Array, coupon: Array,
    rng: np.random.Generator,
) -> tuple[Lines, Array]:  # fmt: skip
    """Return the lines, not yet numbered, and the commission on each in basis points."""
    plan, catalogue = shop.plan, shop.catalogue
    count = len(order)
    day = visits.day.take(order)
    place = product * np.int32(shop.season.count) + day
    partner = catalogue.partner_row.take(product)
    quantity = (visits.size.take(order) + rng.random(count, dtype=np.float32)).astype(np.int64)
    unit_price = (catalogue.unit_price.ravel().take(place) / rate.take(order) + 0.5).astype(np.int64)
    discounted = np.flatnonzero(rng.random(count, dtype=np.float32) < plan.line_discount_rate)
    net = unit_price * quantity
    discount = np.zeros(count, dtype=np.int64)
    off = draw(rng, np.array(plan.line_discount_percents), len(discounted))
    discount[discounted] = (net[discounted] * off + 50) // 100
    net -= discount
    kept_tax = ((100 - coupon) * tax_percent / 1e4).take(order)
    free_rate = catalogue.free_rate.ravel().take(
        visits.persona.take(order) * np.int32(len(catalogue.category)) + product
    )
    late = catalogue.days_late.ravel().take(partner * np.int32(STEPS) + _steps(rng, count))
    lines = Lines(
        order=order,
        number=np.empty(count, dtype=np.int64),
        product=product,
        quantity=quantity,
        free=(rng.random(count, dtype=np.float32) < free_rate).astype(np.int64),
        unit_price=unit_price,
        discount=discount,
        net=net,
        tax=np.round(net * kept_tax).astype(np.int64),
        unit_cost=catalogue.unit_cost.ravel().take(place),
        days_late=late,
    )
    return lines, catalogue.commission.ravel().take(partner * np.int32(shop.season.count) + day)
