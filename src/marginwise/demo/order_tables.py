"""Orders as tables: orders, order_items, payments and reviews."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from marginwise.demo.arrow_columns import (
    Array,
    constant,
    contract_table,
    days,
    id_words,
    identifiers,
    labels,
    masked,
    money,
    numbered,
    timestamps,
    words_column,
)
from marginwise.demo.chance import Streams, draw, index_table
from marginwise.demo.visits import CANCELLED, TEST, VOID

if TYPE_CHECKING:
    from marginwise.demo.orders import Orders
    from marginwise.demo.shop import Shop

__all__ = ["order_tables"]


def order_tables(
    shop: Shop,
    orders: Orders,
    reviews: int,
    streams: Streams,
    *,
    session: Array | None = None,
    touch: Array | None = None,
) -> dict[str, pa.Table]:
    """Return orders, order_items, payments and reviews.

    Parameters
    ----------
    shop, orders, streams
        The store and its orders.
    reviews
        Number before that of the first review.
    session
        Number of the visit each order was placed in, -1 where it is lost or there was none. Shape (O,).
    touch
        Campaign that each order states, where no visits are recorded. Shape (O,).
    """
    plan, season = shop.plan, shop.season
    rng = streams.of("order states")
    visits = orders.visits
    words = numbered("o", orders.before, orders.count)
    is_cancelled = visits.kind == CANCELLED
    age = season.end - visits.at + rng.integers(0, 40_000, orders.count, dtype=np.int32)
    status = np.full(orders.count, 3, dtype=np.int8)
    for step, days_old in ((2, 4.0), (1, 1.0), (0, 0.2)):
        status[age <= days_old * 86_400] = step
    status[is_cancelled] = 4
    status[visits.kind == VOID] = 5
    settled = (np.where(is_cancelled, 0.3, 3.5) * 86_400 * rng.uniform(0.5, 1.5, orders.count)).astype(np.int64)
    places = [(country.code, *place) for country in plan.countries for place in country.cities]
    table = contract_table(
        "orders",
        {
            "order_id": words_column(words),
            "ordered_at": timestamps(visits.at),
            "status": labels(status, ["pending", "paid", "shipped", "delivered", "cancelled", "void"]),
            "currency": labels(visits.country, [country.currency for country in plan.countries]),
            "customer_id": words_column(id_words("c", visits.customer + 1), visits.customer < 0),
            "sales_channel": constant("webshop", orders.count),
            **_origin(shop, session, touch),
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
            "updated_at": timestamps(np.minimum(visits.at + settled, season.end)),
        },
        shop.store_id,
    )
    return {
        "orders": table,
        "order_items": _items(shop, orders, words),
        "payments": _payments(shop, orders, words, streams),
        "reviews": _reviews(shop, orders, words, reviews, streams),
    }


def _origin(shop: Shop, session: Array | None, touch: Array | None) -> dict[str, pa.Array]:
    columns = {} if session is None else {"session_id": identifiers("s", session)}
    if touch is not None:
        campaigns = shop.plan.campaigns
        columns["channel"] = labels(touch, [c.channel if c.source is not None else None for c in campaigns])
        columns["campaign"] = labels(touch, [c.campaign for c in campaigns])
    return columns


def _items(shop: Shop, orders: Orders, words: Array) -> pa.Table:
    """Return order_items; the cost of a line is in product_costs. Days promised and met are no contract columns."""
    lines, season = orders.lines, shop.season
    promised = (orders.visits.day + np.int32(season.first_day + shop.plan.promised_days)).take(lines.order)
    arrived = promised + lines.days_late
    has_arrived = orders.is_sale.take(lines.order) & (arrived < season.first_day + season.count)
    return contract_table(
        "order_items",
        {
            "order_id": words_column(words.take(lines.order)),
            "line_number": pa.array(lines.number),
            "product_id": labels(lines.product, shop.catalogue.ids),
            "quantity": pa.array(lines.quantity),
            "unit_price": money(lines.unit_price),
            "discount_amount": money(lines.discount),
            "tax_amount": money(lines.tax),
            "free_quantity": pa.array(lines.free),
            "x_promised_on": days(promised),
            "x_delivered_on": masked(days(arrived), ~has_arrived),
        },
        shop.store_id,
    )


def _payments(shop: Shop, orders: Orders, words: Array, streams: Streams) -> pa.Table:
    """Return one payment for most orders, two where a gift card paid a part, none for cancelled, test and void ones."""
    rng = streams.of("payments")
    paid = np.flatnonzero(orders.is_sale)
    total = (orders.goods - orders.discount + orders.shipping + orders.shipping_tax + orders.tax)[paid]
    gift = orders.gift[paid]
    is_split = gift > 0
    methods = [*(payment.method for payment in shop.plan.payments), "gift_card"]
    row = np.repeat(np.arange(len(paid)), 1 + is_split)
    order = paid.take(row)
    is_gift = np.zeros(len(order), dtype=bool)
    is_gift[np.cumsum(1 + is_split)[is_split] - 1] = True
    total, gift = total.take(row), gift.take(row)
    installments = np.where((total > 20_000) & (rng.random(len(row), dtype=np.float32) < 0.3) & ~is_gift, 3, 1)
    return contract_table(
        "payments",
        {
            "order_id": words_column(words.take(order)),
            "payment_number": pa.array(1 + is_gift.astype(np.int64)),
            "method": labels(np.where(is_gift, np.int8(len(methods) - 1), orders.method[order]), methods),
            "amount": money(np.where(is_gift, gift, total - gift)),
            "installments": pa.array(installments),
            "fee_amount": money(np.where(is_gift, 0, orders.fee[order])),
            "paid_at": timestamps(orders.visits.at[order] + 20),
        },
        shop.store_id,
    )


def _reviews(shop: Shop, orders: Orders, words: Array, before: int, streams: Streams) -> pa.Table:
    rng = streams.of("reviews")
    season = shop.season
    order = np.flatnonzero((rng.random(orders.count, dtype=np.float32) < shop.plan.review_rate) & orders.is_sale)
    at = orders.visits.at[order] + rng.integers(3 * 86_400, 25 * 86_400, len(order))
    order, at = order[at < season.end], at[at < season.end]
    score = index_table([0.05, 0.05, 0.11, 0.26, 0.53]) + 1
    return contract_table(
        "reviews",
        {
            "review_id": words_column(numbered("w", before, len(order))),
            "order_id": words_column(words.take(order)),
            "score": pa.array(draw(rng, score, len(order))),
            "created_at": timestamps(at),
        },
        shop.store_id,
    )
