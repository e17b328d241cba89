"""Visits and what is done in them: the touches that lead to orders, and the many that lead nowhere."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Self

import numpy as np
import pyarrow as pa

from marginwise.demo.arrow_columns import Array, contract_table, identifiers, labels, money, timestamps
from marginwise.demo.chance import STEPS, Streams, draw, index_table

if TYPE_CHECKING:
    from marginwise.demo.catalogue import Catalogue
    from marginwise.demo.customers import Customers
    from marginwise.demo.demand import Demand
    from marginwise.demo.orders import Orders
    from marginwise.demo.plan import StorePlan
    from marginwise.demo.season import Season

__all__ = ["Traffic", "event_table", "session_table"]

_EARLIER_TOUCH_RATE = 0.35
_OWN_LAST_TOUCH_RATE = 0.45
_OWN_RETURN_RATE = 0.10
_RETURN_UNTAGGED_RATE = 0.03
_RETURN_VISIT_RATE = 0.96
_KNOWN_VISITOR_RATE = 0.08
_LONGEST_WAY_DAYS = 45
_DEVICES_PER_VISIT = 0.7
_NOTHING, _VIEW, _CART, _CHECKOUT, _PURCHASE = range(5)
_REMOVED, _SKIPPED, _SWAPPED = 5, 6, 7
_REMOVED_RATE, _SKIPPED_RATE, _SWAPPED_RATE = 0.15, 0.02, 0.005
_VIEWS = np.array([0, 0, 0, 0, 0, 1, 1, 2], dtype=np.int16)
_EVENT_NAMES = ("view", "add_to_cart", "checkout", "purchase", "remove_from_cart")
_ENDINGS = {_VIEW: (), _CART: (1,), _CHECKOUT: (1, 2), _PURCHASE: (1, 2, 3), _REMOVED: (1, 4), _SKIPPED: (1, 3),
            _SWAPPED: (2, 1, 3)}  # fmt: skip
_WAYS = [(0,) * (views + 1) + _ENDINGS[ending] if ending else () for ending in range(8) for views in range(3)]
_WAY_LENGTHS = np.array([len(way) for way in _WAYS], dtype=np.int64)
_WAY_STEPS = np.array([way + (0,) * (6 - len(way)) for way in _WAYS], dtype=np.int8)


@dataclass(frozen=True, slots=True, eq=False)
class Traffic:
    """Visits sorted by their start. S visits; all shapes (S,) but the last.

    Parameters
    ----------
    at, seconds
        Second since 1970 at which the visit began, and how long it took.
    visitor, customer
        Number of the device, and index of the customer, -1 where unknown.
    touch
        Index of the campaign the visit came through.
    deepest
        0 nothing, 1 product view, 2 add to cart, 3 checkout, 4 purchase.
    order
        Index of the order placed, -1 for none.
    country
        Index of the country.
    session_of_order
        Number of the visit each order names, -1 where it names none. Shape (O,).
    before
        Visits of earlier parts of the store.
    """

    at: Array
    seconds: Array
    visitor: Array
    customer: Array
    touch: Array
    deepest: Array
    order: Array
    country: Array
    session_of_order: Array
    before: int

    @classmethod
    def of(
        cls,
        plan: StorePlan,
        season: Season,
        demand: Demand,
        customers: Customers,
        orders: Orders,
        day_range: range,
        streams: Streams,
        before: int,
    ) -> Self:
        """Draw the visits behind orders, the ones before them, and those without an order."""
        rng = streams.of("traffic")
        buying, is_led = _buying(plan, season, orders, rng)
        earlier = _earlier(plan, season, orders, buying, np.flatnonzero(is_led), rng)
        idle = _idle(plan, season, demand, customers, orders, day_range, len(buying.at) + len(earlier.at), rng)
        parts = (buying, earlier, idle)
        by_time = np.argsort(np.concatenate([part.at for part in parts]), kind="stable")
        joined = {f.name: np.concatenate([getattr(p, f.name) for p in parts])[by_time] for f in fields(_Part)}
        customer, order = joined["customer"], joined["order"]
        strangers = max(1, round(_DEVICES_PER_VISIT * plan.sessions_per_order * demand.orders))
        stranger = rng.integers(customers.count + 1, customers.count + 1 + strangers, len(order), dtype=np.int32)
        session_of_order = np.full(orders.count, -1)
        placed = np.flatnonzero(order >= 0)
        kept = rng.random(len(placed)) >= plan.lost_session_rate
        session_of_order[order[placed[kept]]] = placed[kept] + (before + 1)
        return cls(
            **joined,
            visitor=np.where(customer >= 0, customer + 1, stranger),
            session_of_order=session_of_order,
            before=before,
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    at: Array
    seconds: Array
    customer: Array
    touch: Array
    deepest: Array
    order: Array
    country: Array


def _buying(plan: StorePlan, season: Season, orders: Orders, rng: np.random.Generator) -> tuple[_Part, Array]:
    """Return the visits in which sales are made, and which of them an earlier visit led to."""
    visits = orders.visits
    order = np.flatnonzero(orders.is_sale)
    is_return = visits.number[order] > 1
    seen = np.where(
        is_return, _RETURN_VISIT_RATE, np.array([c.has_visits for c in plan.campaigns])[visits.campaign[order]]
    )
    order = order[rng.random(len(order)) < seen]
    campaign, customer = visits.campaign[order], visits.customer[order]
    is_return = visits.number[order] > 1
    is_led = (rng.random(len(order)) < _EARLIER_TOUCH_RATE) & ~is_return & (customer >= 0) & (visits.day[order] > 0)
    is_led &= np.array([c.source is not None for c in plan.campaigns])[campaign]
    free, untagged = _free_campaigns(plan)
    by_mixture = free[draw(rng, index_table(np.array([plan.campaigns[i].share for i in free])), len(order))]
    chance = rng.random(len(order))
    is_own = np.where(is_return, chance < _OWN_RETURN_RATE, ~is_led | (chance < _OWN_LAST_TOUCH_RATE))
    touch = np.where(is_own, campaign, by_mixture)
    touch = np.where(is_return & (chance > 1 - _RETURN_UNTAGGED_RATE) & (untagged >= 0), untagged, touch)
    seconds = np.minimum(rng.integers(120, 1_500, len(order)), visits.at[order] - season.start)
    part = _Part(
        at=visits.at[order] - seconds,
        seconds=seconds.astype(np.int32),
        customer=customer,
        touch=touch.astype(np.int16),
        deepest=np.full(len(order), _PURCHASE, np.int8),
        order=order.astype(np.int32),
        country=visits.country[order],
    )
    return part, is_led


def _earlier(
    plan: StorePlan, season: Season, orders: Orders, buying: _Part, led: Array, rng: np.random.Generator
) -> _Part:
    """Return the visits before first orders: the one that acquired the customer, and for some one in between."""
    order = buying.order[led]
    day = orders.visits.day[order].astype(np.int64)
    lag = 1 + np.floor(rng.random(len(led)) ** 2 * np.minimum(_LONGEST_WAY_DAYS, day)).astype(np.int64)
    lag = np.minimum(lag, day)
    at = np.minimum(season.moments(day - lag, rng), buying.at[led] - 60)
    with_more = np.flatnonzero((lag > 2) & (rng.random(len(led)) < 0.4))
    between = at[with_more] + (
        rng.uniform(0.2, 0.8, len(with_more)) * (buying.at[led][with_more] - at[with_more])
    ).astype(np.int64)
    free, _ = _free_campaigns(plan)
    count = len(led) + len(with_more)
    row = np.concatenate([np.arange(len(led)), with_more])
    return _Part(
        at=np.concatenate([at, between]),
        seconds=rng.integers(20, 600, count, dtype=np.int32),
        customer=buying.customer[led][row],
        touch=np.concatenate([orders.visits.campaign[order], free[rng.integers(0, len(free), len(with_more))]]),
        deepest=draw(rng, index_table([0.1, 0.6, 0.2, 0.1]).astype(np.int8), count),
        order=np.full(count, -1, np.int32),
        country=buying.country[led][row],
    )


def _idle(
    plan: StorePlan, season: Season, demand: Demand, customers: Customers, orders: Orders, day_range: range,
    placed: int, rng: np.random.Generator,
) -> _Part:  # fmt: skip
    """Return the visits without an order; a known customer appears in them only after the first order."""
    wanted = max(0.0, plan.sessions_per_order * int(orders.is_sale.sum()) - placed)
    inside = slice(day_range.start, day_range.stop)
    weights = demand.customers[:, inside] * np.array([c.visits.weight for c in plan.campaigns])[:, None]
    counts = rng.poisson(weights / weights.sum() * wanted)
    touch = np.repeat(np.arange(len(plan.campaigns), dtype=np.int16), counts.sum(axis=1))
    day = np.repeat(np.tile(np.array(day_range, dtype=np.int16), len(plan.campaigns)), counts.ravel())
    tables = np.vstack([index_table(c.visits.deepest_rates) for c in plan.campaigns]).astype(np.int8)
    known_before = np.searchsorted(customers.day, np.arange(season.count, dtype=np.int16))[day]
    customer = (rng.random(len(day)) * known_before).astype(np.int32)
    customer = np.where((rng.random(len(day)) < _KNOWN_VISITOR_RATE) & (known_before > 0), customer, np.int32(-1))
    strangers = draw(rng, index_table([c.share for c in plan.countries]), len(day))
    return _Part(
        at=season.moments(day, rng),
        seconds=rng.integers(5, 900, len(day), dtype=np.int32),
        customer=customer,
        touch=touch,
        deepest=tables[touch, rng.integers(0, STEPS, len(day), dtype=np.uint16)],
        order=np.full(len(day), -1, np.int32),
        country=np.where(customer >= 0, customers.country[customer], strangers),
    )


def _free_campaigns(plan: StorePlan) -> tuple[Array, int]:
    """Return the tagged free origins through which known customers come back, and the untagged one (-1 = none)."""
    free = [i for i, c in enumerate(plan.campaigns) if c.source is not None and not c.is_paid]
    untagged = [i for i, c in enumerate(plan.campaigns) if c.source is None]
    return np.array(free or [0], dtype=np.int16), untagged[0] if untagged else -1


def session_table(plan: StorePlan, traffic: Traffic, streams: Streams, store_id: str) -> pa.Table:
    """Return sessions: tags as the analytics tool has them; the channel only where no rule would find it."""
    rng = streams.of("devices")
    campaigns = plan.campaigns
    count = len(traffic.at)
    return contract_table(
        "sessions",
        {
            "session_id": identifiers("s", np.arange(traffic.before + 1, traffic.before + count + 1)),
            "started_at": timestamps(traffic.at),
            "visitor_id": identifiers("v", traffic.visitor),
            "customer_id": identifiers("c", np.where(traffic.customer < 0, -1, traffic.customer + 1)),
            "source": labels(traffic.touch, [c.source for c in campaigns]),
            "medium": labels(traffic.touch, [c.medium for c in campaigns]),
            "campaign": labels(traffic.touch, [c.campaign for c in campaigns]),
            "channel": labels(traffic.touch, [c.channel if c.is_declared else None for c in campaigns]),
            "device": labels(draw(rng, index_table([0.62, 0.32, 0.06]), count), ["mobile", "desktop", "tablet"]),
            "country": labels(traffic.country, [country.code for country in plan.countries]),
            "landing_page": labels(draw(rng, index_table([0.3, 0.4, 0.3]), count), ["/", "/category", "/product"]),
            "is_paid": pa.array(np.array([c.is_paid for c in campaigns])[traffic.touch]),
        },
        store_id,
    )


def event_table(
    catalogue: Catalogue, orders: Orders, traffic: Traffic, before: int, streams: Streams, store_id: str
) -> pa.Table:
    """Return events: views, then cart, checkout and purchase; a few steps are missing or out of order."""
    rng = streams.of("events")
    way = _ways(traffic.deepest, rng)
    each = _WAY_LENGTHS[way]
    after = np.cumsum(each)
    count = int(after[-1]) if len(after) else 0
    session = np.repeat(np.arange(len(way), dtype=np.int32), each)
    position = np.arange(count, dtype=np.int32) - np.repeat((after - each).astype(np.int32), each)
    step = _WAY_STEPS.ravel()[np.repeat(way * np.int16(_WAY_STEPS.shape[1]), each) + position]
    is_ordered = traffic.order >= 0
    order, last = traffic.order[is_ordered], after[is_ordered] - 1
    product = catalogue.choice[np.repeat(traffic.touch, each), rng.integers(0, STEPS, count, dtype=np.uint16)]
    is_bought = np.repeat(is_ordered, each)
    product[is_bought] = np.repeat(orders.lines.product[orders.first_line[order]], each[is_ordered])
    placed = np.full(count, -1, dtype=np.int32)
    placed[last] = orders.number(order)
    value = np.zeros(count, dtype=np.int64)
    value[last] = np.round((orders.goods - orders.discount) * orders.rate)[order]
    passed = np.repeat(traffic.seconds.astype(np.float32), each) * (position + 1) / np.repeat(each, each)
    return contract_table(
        "events",
        {
            "event_id": identifiers("e", np.arange(before + 1, before + count + 1)),
            "occurred_at": timestamps(np.repeat(traffic.at, each) + passed.astype(np.int32)),
            "event_type": labels(step, _EVENT_NAMES),
            "visitor_id": identifiers("v", np.repeat(traffic.visitor, each)),
            "session_id": identifiers("s", session + np.int32(traffic.before + 1)),
            "customer_id": identifiers("c", np.repeat(np.where(traffic.customer < 0, -1, traffic.customer + 1), each)),
            "product_id": labels(product, catalogue.ids),
            "order_id": identifiers("o", placed),
            "value_amount": money(value, placed < 0),
        },
        store_id,
    )


def _ways(deepest: Array, rng: np.random.Generator) -> Array:
    """Return the row of ``_WAY_STEPS`` that each visit follows."""
    views = _VIEWS[rng.integers(0, len(_VIEWS), len(deepest), dtype=np.uint8)]
    chance = rng.random(len(deepest), dtype=np.float32)
    ending = deepest.astype(np.int16)
    ending[(deepest == _CART) & (chance < _REMOVED_RATE)] = _REMOVED
    ending[(deepest == _PURCHASE) & (chance < _SKIPPED_RATE)] = _SKIPPED
    ending[(deepest == _PURCHASE) & (chance > 1 - _SWAPPED_RATE)] = _SWAPPED
    return ending * np.int16(3) + views
