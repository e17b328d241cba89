"""Orders and their lines in whole cents: prices, discounts, tax, shipping, fees, commission and payments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import pyarrow as pa

from marginwise.demo.arrow_columns import Array, constant, contract_table, identifiers, labels, money, timestamps
from marginwise.demo.chance import STEPS, Streams, draw, index_table
from marginwise.demo.visits import CANCELLED, SALE, TEST, VOID, Visits

if TYPE_CHECKING:
    from marginwise.demo.catalogue import Catalogue
    from marginwise.demo.plan import StorePlan
    from marginwise.demo.season import Season

__all__ = ["Lines", "Orders", "line_tables", "order_tables"]

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


@dataclass(frozen=True, slots=True, eq=False)
class Orders:
    """Orders sorted by time, test and void ones included. O orders; cents of the order's currency.

    Parameters
    ----------
    before
        Orders of earlier parts of the store.
    visits
        Who ordered when. All shapes (O,).
    rate
        Reporting currency per unit of the order's currency, at the order's day.
    first_line
        Index of the order's first line.
    line_count, pieces
        Lines, and pieces with free ones.
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
    def of(
        cls, plan: StorePlan, season: Season, catalogue: Catalogue, visits: Visits, streams: Streams, before: int
    ) -> Self:
        """Fill every visit's basket and price it."""
        rng = streams.of("orders")
        count = visits.count
        rate = _order_rates(plan, season, visits)
        line_count = line_tables(plan)[visits.campaign, rng.integers(0, STEPS, count)]
        coupon_rate = np.where(
            visits.is_first, np.array([c.coupon_rate for c in plan.campaigns])[visits.campaign], plan.repeat_coupon_rate
        )
        percents = np.array(plan.coupon_percents)
        coupon = np.where(rng.random(count) < coupon_rate, percents[rng.integers(0, len(percents), count)], 0)
        lines = _lines(plan, season, catalogue, visits, rate, line_count, coupon, streams.of("lines"))
        first_line = np.cumsum(line_count) - line_count
        goods = np.add.reduceat(lines.net, first_line)
        discount = (goods * coupon + 50) // 100
        pieces = np.add.reduceat(lines.quantity + lines.free, first_line)
        charges = np.array([charge for charge, _ in plan.shipping_charges])
        charged = charges[draw(rng, index_table([share for _, share in plan.shipping_charges]), count)]
        countries = visits.country
        is_alive = visits.kind != CANCELLED
        tax_percent = np.array([c.tax_percent for c in plan.countries])[countries]
        carrier = (
            np.array([c.shipping_cost for c in plan.countries])[countries]
            + pieces * np.array([c.shipping_cost_per_piece for c in plan.countries])[countries]
        )
        shipping = _cents(charged * is_alive, rate)
        shipping_tax = (shipping * tax_percent + 50) // 100
        tax = np.add.reduceat(lines.tax, first_line) * is_alive
        method = draw(rng, index_table([p.share for p in plan.payments]), count)
        total = (goods - discount + shipping + shipping_tax + tax) * is_alive
        is_split = rng.random(count, dtype=np.float32) < plan.split_payment_rate
        gift = np.where(is_split, np.round(total * rng.uniform(0.2, 0.5, count)), 0).astype(np.int64)
        basis_points = np.array([p.fee_basis_points for p in plan.payments])[method]
        fixed = np.array([p.fee_fixed for p in plan.payments])[method]
        fee = np.round(((total - gift) * basis_points / 1e4 + fixed * 100 / rate) * is_alive).astype(np.int64)
        royalty = catalogue.commission[catalogue.partner[lines.product], visits.day[lines.order]]
        commission = np.add.reduceat(lines.net * royalty, first_line) * (100 - coupon) / 1e6
        return cls(
            before=before,
            visits=visits,
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


def line_tables(plan: StorePlan) -> Array:
    """Return, for each campaign, a table of equally likely line counts. Shape (K, STEPS)."""
    counts = np.arange(1, _MOST_LINES + 1)
    tables = []
    for campaign in plan.campaigns:
        more = 1 - 1 / campaign.lines_per_order
        tables.append(index_table((1 - more) * more ** (counts - 1)) + 1)
    return np.vstack(tables)


def _order_rates(plan: StorePlan, season: Season, visits: Visits) -> Array:
    currencies = [name for name, _ in plan.foreign_rates]
    row = np.array([currencies.index(c.currency) if c.currency != plan.currency else -1 for c in plan.countries])
    rates = np.vstack([season.foreign_rates / 1e6, np.ones((1, season.count))])
    of_order: Array = rates[row[visits.country], visits.day]
    return of_order


def _cents(amount: Array, rate: Array) -> Array:
    """Return reporting currency as whole cents of the order's currency."""
    return np.floor(amount * 100 / rate + 0.5).astype(np.int64)


def _lines(
    plan: StorePlan,
    season: Season,
    catalogue: Catalogue,
    visits: Visits,
    rate: Array,
    line_count: Array,
    coupon: Array,
    rng: np.random.Generator,
) -> Lines:
    order = np.repeat(np.arange(len(line_count), dtype=np.int32), line_count)
    count = len(order)
    day = visits.day[order]
    first = np.cumsum(line_count) - line_count
    product = catalogue.choice[visits.campaign[order], rng.integers(0, STEPS, count, dtype=np.uint16)]
    quantity = np.floor(visits.size[order] + rng.random(count)).astype(np.int64)
    unit_price = np.floor(catalogue.unit_price[product, day] / rate[order] + 0.5).astype(np.int64)
    percents = np.array(plan.line_discount_percents)
    off = np.where(
        rng.random(count, dtype=np.float32) < plan.line_discount_rate,
        percents[rng.integers(0, len(percents), count)],
        0,
    )
    gross = unit_price * quantity
    discount = (gross * off + 50) // 100
    net = gross - discount
    tax_percent = np.array([c.tax_percent for c in plan.countries])[visits.country[order]]
    return Lines(
        order=order,
        number=np.arange(count) - first[order] + 1,
        product=product,
        quantity=quantity,
        free=(rng.random(count) < catalogue.free_rate[product]).astype(np.int64),
        unit_price=unit_price,
        discount=discount,
        net=net,
        tax=np.round(net * (100 - coupon[order]) * tax_percent / 1e4).astype(np.int64),
        unit_cost=catalogue.unit_cost[product, day],
    )


def order_tables(
    plan: StorePlan,
    season: Season,
    catalogue: Catalogue,
    orders: Orders,
    session: Array,
    reviews: int,
    streams: Streams,
    store_id: str,
) -> dict[str, pa.Table]:
    """Return orders, order_items, payments and reviews.

    Parameters
    ----------
    plan, season, orders, streams, store_id
        The store.
    session
        Number of the visit each order was placed in, -1 where it is lost or there was none. Shape (O,).
    reviews
        Reviews of earlier parts.
    """
    rng = streams.of("order states")
    visits = orders.visits
    age = season.end - visits.at
    steps = np.array([0.2, 1.0, 4.0]) * 86_400
    status = np.where(visits.kind == CANCELLED, 4, np.searchsorted(steps, age + rng.integers(0, 40_000, orders.count)))
    status = np.where(visits.kind == VOID, 5, status)
    settled = np.where(visits.kind == CANCELLED, 0.3, 3.5) * 86_400 * rng.uniform(0.5, 1.5, orders.count)
    places = [(country.code, *place) for country in plan.countries for place in country.cities]
    table = contract_table(
        "orders",
        {
            "order_id": identifiers("o", orders.number(np.arange(orders.count))),
            "ordered_at": timestamps(visits.at),
            "status": labels(status, ["pending", "paid", "shipped", "delivered", "cancelled", "void"]),
            "currency": labels(visits.country, [country.currency for country in plan.countries]),
            "customer_id": identifiers("c", visits.customer + np.where(visits.customer < 0, 0, 1)),
            "sales_channel": constant("webshop", orders.count),
            "session_id": identifiers("s", session),
            "discount_amount": money(orders.discount),
            "shipping_charged_amount": money(orders.shipping),
            "tax_amount": money(orders.shipping_tax),
            "shipping_cost_amount": money(orders.shipping_cost),
            "payment_fee_amount": money(orders.fee),
            "commission_amount": money(orders.commission),
            "handling_cost_amount": money(orders.handling),
            "ship_country": labels(visits.city, [place[0] for place in places]),
            "ship_region": labels(visits.city, [place[2] for place in places]),
            "ship_city": labels(visits.city, [place[1] for place in places]),
            "is_test": pa.array(visits.kind == TEST),
            "updated_at": timestamps(np.minimum(visits.at + settled.astype(np.int64), season.end)),
        },
        store_id,
    )
    return {
        "orders": table,
        "order_items": _items(catalogue, orders, store_id),
        "payments": _payments(plan, orders, streams, store_id),
        "reviews": _reviews(plan, season, orders, reviews, streams, store_id),
    }


def _items(catalogue: Catalogue, orders: Orders, store_id: str) -> pa.Table:
    """Return order_items; the cost of a line is in product_costs."""
    lines = orders.lines
    return contract_table(
        "order_items",
        {
            "order_id": identifiers("o", orders.number(lines.order)),
            "line_number": pa.array(lines.number),
            "product_id": labels(lines.product, catalogue.ids),
            "quantity": pa.array(lines.quantity),
            "unit_price": money(lines.unit_price),
            "discount_amount": money(lines.discount),
            "tax_amount": money(lines.tax),
            "free_quantity": pa.array(lines.free),
        },
        store_id,
    )


def _payments(plan: StorePlan, orders: Orders, streams: Streams, store_id: str) -> pa.Table:
    """Return one payment for most orders, two where a gift card paid a part, none for cancelled, test and void ones."""
    rng = streams.of("payments")
    paid = np.flatnonzero(orders.is_sale)
    total = (orders.goods - orders.discount + orders.shipping + orders.shipping_tax + orders.tax)[paid]
    gift = orders.gift[paid]
    is_split = gift > 0
    methods = [*(payment.method for payment in plan.payments), "gift_card"]
    order = np.repeat(paid, 1 + is_split)
    is_gift = np.zeros(len(order), dtype=bool)
    is_gift[np.cumsum(1 + is_split)[is_split] - 1] = True
    row = np.repeat(np.arange(len(paid)), 1 + is_split)
    installments = np.where((total[row] > 20_000) & (rng.random(len(row)) < 0.3), 3, 1)
    return contract_table(
        "payments",
        {
            "order_id": identifiers("o", orders.number(order)),
            "payment_number": pa.array(1 + is_gift.astype(np.int64)),
            "method": labels(np.where(is_gift, len(methods) - 1, orders.method[order]), methods),
            "amount": money(np.where(is_gift, gift[row], (total - gift)[row])),
            "installments": pa.array(np.where(is_gift, 1, installments)),
            "fee_amount": money(np.where(is_gift, 0, orders.fee[order])),
            "paid_at": timestamps(orders.visits.at[order] + 20),
        },
        store_id,
    )


def _reviews(plan: StorePlan, season: Season, orders: Orders, before: int, streams: Streams, store_id: str) -> pa.Table:
    rng = streams.of("reviews")
    order = np.flatnonzero((rng.random(orders.count) < plan.review_rate) & orders.is_sale)
    at = orders.visits.at[order] + rng.integers(3 * 86_400, 25 * 86_400, len(order))
    order, at = order[at < season.end], at[at < season.end]
    score = index_table([0.05, 0.05, 0.11, 0.26, 0.53]) + 1
    return contract_table(
        "reviews",
        {
            "review_id": identifiers("w", np.arange(before + 1, before + len(order) + 1)),
            "order_id": identifiers("o", orders.number(order)),
            "score": pa.array(draw(rng, score, len(order))),
            "created_at": timestamps(at),
        },
        store_id,
    )
