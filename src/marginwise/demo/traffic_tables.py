"""Visits and what is done in them as tables: sessions and events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from marginwise.demo.arrow_columns import (
    Array,
    contract_table,
    id_words,
    identifiers,
    labels,
    money,
    numbered,
    timestamps,
    words_column,
)
from marginwise.demo.chance import STEPS, Streams, draw, index_table
from marginwise.demo.traffic import PURCHASE

if TYPE_CHECKING:
    from marginwise.demo.orders import Orders
    from marginwise.demo.shop import Shop
    from marginwise.demo.traffic import Traffic

__all__ = ["event_table", "session_table"]

_VIEW, _CART, _CHECKOUT = 1, 2, 3
_REMOVED, _SKIPPED, _SWAPPED = 5, 6, 7
_REMOVED_RATE, _SKIPPED_RATE, _SWAPPED_RATE = 0.15, 0.02, 0.005
_VIEWS = np.array([0, 0, 0, 0, 0, 1, 1, 2], dtype=np.int16)
_EVENT_NAMES = ("view", "add_to_cart", "checkout", "purchase", "remove_from_cart")
_ENDINGS = {_VIEW: (), _CART: (1,), _CHECKOUT: (1, 2), PURCHASE: (1, 2, 3), _REMOVED: (1, 4), _SKIPPED: (1, 3),
            _SWAPPED: (2, 1, 3)}  # fmt: skip
_WAYS = [(0,) * (views + 1) + _ENDINGS[ending] if ending else () for ending in range(8) for views in range(3)]
_WAY_LENGTHS = np.array([len(way) for way in _WAYS], dtype=np.int32)
_WAY_STEPS = np.array([way + (0,) * (6 - len(way)) for way in _WAYS], dtype=np.int8)


def session_table(shop: Shop, traffic: Traffic, streams: Streams) -> pa.Table:
    """Return sessions: tags as the analytics tool has them; the channel only where no rule would find it."""
    rng = streams.of("devices")
    campaigns = shop.plan.campaigns
    count = len(traffic.at)
    device = draw(rng, index_table([0.62, 0.32, 0.06]).astype(np.int8), count)
    page = draw(rng, index_table([0.3, 0.4, 0.3]).astype(np.int8), count)
    return contract_table(
        "sessions",
        {
            "session_id": words_column(numbered("s", traffic.before, count)),
            "started_at": timestamps(traffic.at),
            "visitor_id": identifiers("v", traffic.visitor),
            "customer_id": words_column(id_words("c", traffic.customer + 1), traffic.customer < 0),
            "source": labels(traffic.touch, [c.source for c in campaigns]),
            "medium": labels(traffic.touch, [c.medium for c in campaigns]),
            "campaign": labels(traffic.touch, [c.campaign for c in campaigns]),
            "channel": labels(traffic.touch, [c.channel if c.is_declared else None for c in campaigns]),
            "device": labels(device, ["mobile", "desktop", "tablet"]),
            "country": labels(traffic.country, [country.code for country in shop.plan.countries]),
            "landing_page": labels(page, ["/", "/category", "/product"]),
            "is_paid": pa.array(np.array([c.is_paid for c in campaigns]).take(traffic.touch)),
        },
        shop.store_id,
    )


def event_table(shop: Shop, orders: Orders, traffic: Traffic, before: int, streams: Streams) -> pa.Table:
    """Return events: views, then cart, checkout and purchase; a few steps are missing or out of order."""
    rng = streams.of("events")
    way = _ways(traffic.deepest, rng)
    each = _WAY_LENGTHS.take(way)
    after = np.cumsum(each)
    count = int(after[-1]) if len(after) else 0
    session = np.repeat(np.arange(len(way), dtype=np.int32), each)
    position = np.arange(count, dtype=np.int32) - (after - each).astype(np.int32).take(session)
    step = _WAY_STEPS.ravel().take(way.take(session) * np.int16(_WAY_STEPS.shape[1]) + position)
    is_ordered = traffic.order >= 0
    order, last = traffic.order[is_ordered], after[is_ordered] - 1
    cell = traffic.touch * np.int32(shop.personas.count * STEPS)
    steps = rng.integers(0, STEPS, count, dtype=np.uint16)
    product = shop.catalogue.choice.ravel().take(cell.take(session) + steps)
    is_bought = np.flatnonzero(is_ordered.take(session))
    product[is_bought] = np.repeat(orders.lines.product[orders.first_line[order]], each[is_ordered])
    placed = np.zeros(count, dtype=np.uint32)
    placed[last] = orders.number(order)
    value = np.zeros(count, dtype=np.int64)
    value[last] = np.round((orders.goods - orders.discount)[order] * orders.rate[order])
    pace = (traffic.seconds / np.maximum(each, 1)).astype(np.float32)
    passed = (pace.take(session) * (position + np.int32(1))).astype(np.int64)
    is_purchase = placed > 0
    is_stranger = traffic.customer < 0
    visitor, visit = id_words("v", traffic.visitor), numbered("s", traffic.before, len(way))
    customer = id_words("c", traffic.customer + 1)
    return contract_table(
        "events",
        {
            "event_id": words_column(numbered("e", before, count)),
            "occurred_at": timestamps(traffic.at.take(session) + passed),
            "event_type": labels(step, _EVENT_NAMES),
            "visitor_id": words_column(visitor.take(session)),
            "session_id": words_column(visit.take(session)),
            "customer_id": words_column(customer.take(session), is_stranger.take(session)),
            "product_id": labels(product, shop.catalogue.ids),
            "order_id": _rare_ids("o", placed, is_purchase),
            "value_amount": money(value, ~is_purchase),
        },
        shop.store_id,
    )


def _rare_ids(prefix: str, numbers: Array, is_given: Array) -> pa.Array:
    """Return ids where ``is_given`` holds, null elsewhere, without room for the nulls' text."""
    words = id_words(prefix, numbers[is_given])
    offsets = np.zeros(len(numbers) + 1, dtype=np.int32)
    np.cumsum(is_given, out=offsets[1:])
    offsets *= words.dtype.itemsize
    valid = pa.py_buffer(np.packbits(is_given, bitorder="little"))
    text = pa.py_buffer(words.view(np.uint8)) if len(words) else pa.py_buffer(b"")
    return pa.Array.from_buffers(pa.string(), len(numbers), [valid, pa.py_buffer(offsets), text])


def _ways(deepest: Array, rng: np.random.Generator) -> Array:
    """Return the row of ``_WAY_STEPS`` that each visit follows."""
    views = _VIEWS[rng.integers(0, len(_VIEWS), len(deepest), dtype=np.uint8)]
    chance = rng.random(len(deepest), dtype=np.float32)
    ending = deepest.astype(np.int16)
    ending[(deepest == _CART) & (chance < _REMOVED_RATE)] = _REMOVED
    ending[(deepest == PURCHASE) & (chance < _SKIPPED_RATE)] = _SKIPPED
    ending[(deepest == PURCHASE) & (chance > 1 - _SWAPPED_RATE)] = _SWAPPED
    return ending * np.int16(3) + views
