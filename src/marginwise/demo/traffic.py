"""Visits and what is done in them: the touches that lead to orders, and the many that lead nowhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from marginwise.demo.arrow_columns import Array, contract_table, identifiers, labels, money, timestamps
from marginwise.demo.chance import Streams, draw, index_table

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
_NOTHING, _VIEW, _CART, _CHECKOUT, _PURCHASE = range(5)
_REMOVE = 5
_EVENT_NAMES = ("", "view", "add_to_cart", "checkout", "purchase", "remove_from_cart")


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

    @classmethod
    def of(
        cls, plan: StorePlan, season: Season, demand: Demand, customers: Customers, orders: Orders, streams: Streams
    ) -> Traffic:
        """Draw the visits behind orders, the ones before them, and those without an order."""
        rng = streams.of("traffic")
        buying = _buying(plan, season, orders, rng)
        earlier = _earlier(plan, season, orders, buying, rng)
        idle = _idle(plan, season, demand, customers, orders, len(buying.at) + len(earlier.at), rng)
        parts = (buying, earlier, idle)
        at, seconds, customer, touch, deepest, order, country = (
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("at", "seconds", "customer", "touch", "deepest", "order", "country")
        )
        stranger = customers.count + 1 + (rng.random(len(at)) * max(1, round(0.7 * len(at)))).astype(np.int64)
        visitor = np.where(customer >= 0, customer + 1, stranger)
        by_time = np.argsort(at, kind="stable")
        order = order[by_time]
        session_of_order = np.full(orders.count, -1)
        placed = np.flatnonzero(order >= 0)
        kept = rng.random(len(placed)) >= plan.lost_session_rate
        session_of_order[order[placed[kept]]] = placed[kept] + 1
        return cls(
            at=at[by_time], seconds=seconds[by_time], visitor=visitor[by_time], customer=customer[by_time],
            touch=touch[by_time], deepest=deepest[by_time], order=order, country=country[by_time],
            session_of_order=session_of_order,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    at: Array
    seconds: Array
    customer: Array
    touch: Array
    deepest: Array
    order: Array
    country: Array
    is_led: Array | None = None


def _buying(plan: StorePlan, season: Season, orders: Orders, rng: np.random.Generator) -> _Part:
    """Return the visits in which real orders are placed."""
    visits = orders.visits
    order = np.flatnonzero(orders.is_counted)
    is_return = visits.number[order] > 1
    seen = np.where(
        is_return, _RETURN_VISIT_RATE, np.array([c.has_visits for c in plan.campaigns])[visits.campaign[order]]
    )
    order = order[rng.random(len(order)) < seen]
    campaign, customer = visits.campaign[order].astype(np.int64), visits.customer[order]
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
    return _Part(
        at=visits.at[order] - seconds, seconds=seconds, customer=customer, touch=touch,
        deepest=np.full(len(order), _PURCHASE), order=order, country=visits.country[order], is_led=is_led,
    )  # fmt: skip


def _earlier(plan: StorePlan, season: Season, orders: Orders, buying: _Part, rng: np.random.Generator) -> _Part:
    """Return the visits before first orders: the one that acquired the customer, and for some one in between."""
    led = np.flatnonzero(buying.is_led) if buying.is_led is not None else np.array([], dtype=np.int64)
    order = buying.order[led]
    day = orders.visits.day[order].astype(np.int64)
    lag = 1 + np.floor(rng.random(len(led)) ** 2 * np.minimum(_LONGEST_WAY_DAYS, day)).astype(np.int64)
    lag = np.minimum(lag, day)
    at = season.start + 86_400 * (day - lag) + draw(rng, season.seconds, len(led))
    with_more = np.flatnonzero((lag > 2) & (rng.random(len(led)) < 0.4))
    between = at[with_more] + (
        rng.uniform(0.2, 0.8, len(with_more)) * (buying.at[led][with_more] - at[with_more])
    ).astype(np.int64)
    free, _ = _free_campaigns(plan)
    count = len(led) + len(with_more)
    row = np.concatenate([np.arange(len(led)), with_more])
    return _Part(
        at=np.concatenate([at, between]),
        seconds=rng.integers(20, 600, count),
        customer=buying.customer[led][row],
        touch=np.concatenate([
            orders.visits.campaign[order].astype(np.int64), free[rng.integers(0, len(free), len(with_more))]
        ]),
        deepest=draw(rng, index_table([0.1, 0.6, 0.2, 0.1]), count),
        order=np.full(count, -1),
        country=buying.country[led][row],
    )  # fmt: skip


def _idle(
    plan: StorePlan, season: Season, demand: Demand, customers: Customers, orders: Orders, placed: int,
    rng: np.random.Generator,
) -> _Part:  # fmt: skip
    """Return the visits without an order; a known customer appears in them only after the first order."""
    wanted = max(0.0, plan.sessions_per_order * int(orders.is_counted.sum()) - placed)
    weights = demand.customers * np.array([c.visits.weight for c in plan.campaigns])[:, None]
    counts = rng.poisson(weights / weights.sum() * wanted)
    touch = np.repeat(np.arange(len(plan.campaigns)), counts.sum(axis=1))
    day = np.repeat(np.tile(np.arange(season.count), len(plan.campaigns)), counts.ravel())
    tables = np.vstack([index_table(c.visits.deepest_rates) for c in plan.campaigns])
    known_before = np.searchsorted(customers.day, np.arange(season.count))[day]
    customer = (rng.random(len(day)) * known_before).astype(np.int64)
    customer = np.where((rng.random(len(day)) < _KNOWN_VISITOR_RATE) & (known_before > 0), customer, -1)
    strangers = draw(rng, index_table([c.share for c in plan.countries]), len(day))
    return _Part(
        at=season.start + 86_400 * day + draw(rng, season.seconds, len(day)) + rng.integers(0, 20, len(day)),
        seconds=rng.integers(5, 900, len(day)),
        customer=customer,
        touch=touch,
        deepest=tables[touch, rng.integers(0, tables.shape[1], len(day))],
        order=np.full(len(day), -1),
        country=np.where(customer >= 0, customers.country[customer], strangers),
    )


def _free_campaigns(plan: StorePlan) -> tuple[Array, int]:
    """Return the tagged free origins through which known customers come back, and the untagged one (-1 = none)."""
    free = [i for i, c in enumerate(plan.campaigns) if c.source is not None and not c.is_paid]
    untagged = [i for i, c in enumerate(plan.campaigns) if c.source is None]
    return np.array(free or [0]), untagged[0] if untagged else -1


def session_table(plan: StorePlan, traffic: Traffic, streams: Streams, store_id: str) -> pa.Table:
    """Return sessions: tags as the analytics tool has them; the channel only where no rule would find it."""
    rng = streams.of("devices")
    campaigns = plan.campaigns
    count = len(traffic.at)
    return contract_table(
        "sessions",
        {
            "session_id": identifiers("s", np.arange(1, count + 1)),
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
    plan: StorePlan, catalogue: Catalogue, orders: Orders, traffic: Traffic, streams: Streams, store_id: str
) -> pa.Table:
    """Return events: views, then cart, checkout and purchase; a few steps are missing or out of order."""
    rng = streams.of("events")
    count = len(traffic.at)
    deepest = traffic.deepest
    is_purchase = deepest == _PURCHASE
    views = np.where(deepest >= _VIEW, 1 + rng.binomial(2, 0.35, count), 0)
    is_removed = (deepest == _CART) & (rng.random(count) < 0.15)
    is_missing = is_purchase & (rng.random(count) < 0.02)
    is_swapped = is_purchase & ~is_missing & (rng.random(count) < 0.005)
    has_checkout = (deepest >= _CHECKOUT) & ~is_missing
    each = views + (deepest >= _CART) + is_removed + has_checkout + is_purchase
    session = np.repeat(np.arange(count), each)
    position = np.arange(len(session)) - (np.cumsum(each) - each)[session]
    after_views = position - views[session]
    step = np.where(after_views < 0, _VIEW, np.where(after_views == 0, _CART, _CHECKOUT))
    step = np.where((after_views == 1) & is_removed[session], _REMOVE, step)
    step = np.where((position == each[session] - 1) & is_purchase[session], _PURCHASE, step)
    swapped = is_swapped[session] & ((step == _CART) | (step == _CHECKOUT))
    step = np.where(swapped, _CART + _CHECKOUT - step, step)
    order = traffic.order[session]
    bought = orders.lines.product[orders.first_line[order]]
    looked_at = catalogue.choice[traffic.touch[session], rng.integers(0, catalogue.choice.shape[1], len(session))]
    value = np.round((orders.goods - orders.discount) * orders.rate).astype(np.int64)[order]
    is_bought = step == _PURCHASE
    return contract_table(
        "events",
        {
            "event_id": identifiers("e", np.arange(1, len(session) + 1)),
            "occurred_at": timestamps(traffic.at[session] + traffic.seconds[session] * (position + 1) // each[session]),
            "event_type": labels(step, _EVENT_NAMES),
            "visitor_id": identifiers("v", traffic.visitor[session]),
            "session_id": identifiers("s", session + 1),
            "customer_id": identifiers("c", np.where(traffic.customer[session] < 0, -1, traffic.customer[session] + 1)),
            "product_id": identifiers("p", np.where(order >= 0, bought, looked_at) + 1),
            "order_id": identifiers("o", np.where(is_bought, order + 1, -1)),
            "value_amount": money(value, ~is_bought),
        },
        store_id,
    )
