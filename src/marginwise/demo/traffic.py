"""Visits: the touches that lead to orders, and the many that lead nowhere."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Self

import numpy as np

from marginwise.demo.chance import STEPS, Streams, draw, index_table
from marginwise.demo.season import order_by_time

if TYPE_CHECKING:
    from marginwise.demo.arrow_columns import Array
    from marginwise.demo.customers import Customers
    from marginwise.demo.orders import Orders
    from marginwise.demo.plan import StorePlan
    from marginwise.demo.shop import Shop

__all__ = ["PURCHASE", "Traffic", "declared_touches"]

_OWN_LAST_TOUCH_RATE = 0.45
_OWN_RETURN_RATE = 0.10
_RETURN_UNTAGGED_RATE = 0.03
_RETURN_VISIT_RATE = 0.96
_KNOWN_VISITOR_RATE = 0.08
_LONGEST_WAY_DAYS = 45
_DEVICES_PER_VISIT = 0.7
PURCHASE = 4


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
        Number before that of the first visit.
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
        cls, shop: Shop, customers: Customers, orders: Orders, day_range: range, streams: Streams, before: int
    ) -> Self:
        """Draw the visits behind orders, the ones before them, and those without an order."""
        plan = shop.plan
        rng = streams.of("traffic")
        led = _led(customers, orders)
        buying = _buying(shop, customers, orders, led, rng)
        earlier = _earlier(shop, orders, led, rng)
        idle = _idle(shop, customers, orders, day_range, len(buying.at) + len(earlier.at), rng)
        parts = (buying, earlier, idle)
        at = np.concatenate([part.at for part in parts])
        by_time = order_by_time(at)
        joined = {f.name: np.concatenate([getattr(p, f.name) for p in parts]).take(by_time) for f in fields(_Part)}
        customer, order = joined["customer"], joined["order"]
        strangers = max(1, round(_DEVICES_PER_VISIT * plan.sessions_per_order * shop.demand.orders))
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


def declared_touches(shop: Shop, customers: Customers, orders: Orders, streams: Streams) -> Array:
    """Return the campaign that each order states where no visits are recorded. Shape (O,).

    First orders state what won the customer, as far as it is known; later ones mostly a free origin.
    """
    plan, visits = shop.plan, orders.visits
    rng = streams.of("declared touches")
    free, _ = _free_campaigns(plan)
    by_mixture = free[draw(rng, index_table(np.array([plan.campaigns[i].share for i in free])), orders.count)]
    is_own = (visits.number == 1) | (rng.random(orders.count, dtype=np.float32) < _OWN_RETURN_RATE)
    traced = customers.traced.take(visits.customer, mode="clip")
    return np.where(visits.is_first, traced, np.where(is_own, visits.campaign, by_mixture))


def _led(customers: Customers, orders: Orders) -> Array:
    """Return True for first orders that an earlier visit led to. Shape (O,)."""
    visits = orders.visits
    return visits.is_first & customers.is_led.take(visits.customer, mode="clip")


def _buying(shop: Shop, customers: Customers, orders: Orders, led: Array, rng: np.random.Generator) -> _Part:
    """Return the visits in which sales are made."""
    plan, visits = shop.plan, orders.visits
    by_chance = rng.random(orders.count, dtype=np.float32) < np.where(
        visits.number > 1, _RETURN_VISIT_RATE, np.array([c.has_visits for c in plan.campaigns])[visits.campaign]
    )
    seen = np.where(visits.is_first, customers.has_visit.take(visits.customer, mode="clip"), by_chance)
    seen &= orders.is_sale & ~shop.named_days.is_untracked.take(visits.day)
    order = np.flatnonzero(seen)
    campaign, at = visits.campaign[order], visits.at[order]
    is_return = visits.number[order] > 1
    free, untagged = _free_campaigns(plan)
    by_mixture = free[draw(rng, index_table(np.array([plan.campaigns[i].share for i in free])), len(order))]
    chance = rng.random(len(order), dtype=np.float32)
    is_own = np.where(is_return, chance < _OWN_RETURN_RATE, ~led[order] | (chance < _OWN_LAST_TOUCH_RATE))
    touch = np.where(is_own, campaign, by_mixture)
    touch = np.where(is_return & (chance > 1 - _RETURN_UNTAGGED_RATE) & (untagged >= 0), untagged, touch)
    seconds = np.minimum(rng.integers(120, 1_500, len(order)), at - shop.season.start)
    return _Part(
        at=at - seconds,
        seconds=seconds.astype(np.int32),
        customer=visits.customer[order],
        touch=touch.astype(np.int16),
        deepest=np.full(len(order), PURCHASE, np.int8),
        order=order.astype(np.int32),
        country=visits.country[order],
    )


def _earlier(shop: Shop, orders: Orders, is_led: Array, rng: np.random.Generator) -> _Part:
    """Return the visits before first orders: the one that acquired the customer, and for some one in between.

    The one that acquired is never lost: where tracking was out, it came on a day before.
    """
    visits, season, is_untracked = orders.visits, shop.season, shop.named_days.is_untracked
    led = np.flatnonzero(is_led)
    day = visits.day[led].astype(np.int64)
    lag = 1 + (rng.random(len(led)) ** 2 * np.minimum(_LONGEST_WAY_DAYS, day)).astype(np.int64)
    on = np.maximum(day - lag, 0)
    at = np.minimum(season.moments(_tracked_before(is_untracked)[on], rng), visits.at[led] - 1_560)
    with_more = np.flatnonzero((lag > 2) & (rng.random(len(led)) < 0.4))
    first = at[with_more]
    between = first + (rng.uniform(0.2, 0.8, len(with_more)) * (visits.at[led][with_more] - first)).astype(np.int64)
    is_kept = ~is_untracked[(between - season.start) // 86_400]
    with_more, between = with_more[is_kept], between[is_kept]
    free, _ = _free_campaigns(shop.plan)
    count = len(led) + len(with_more)
    row = led[np.concatenate([np.arange(len(led)), with_more])]
    return _Part(
        at=np.concatenate([at, between]),
        seconds=rng.integers(20, 600, count, dtype=np.int32),
        customer=visits.customer[row],
        touch=np.concatenate([visits.campaign[led], free[rng.integers(0, len(free), len(with_more))]]),
        deepest=draw(rng, index_table([0.1, 0.6, 0.2, 0.1]).astype(np.int8), count),
        order=np.full(count, -1, np.int32),
        country=visits.country[row],
    )


def _idle(
    shop: Shop, customers: Customers, orders: Orders, day_range: range, placed: int, rng: np.random.Generator
) -> _Part:
    """Return the visits without an order; a known customer appears in them only after the first order."""
    plan, season = shop.plan, shop.season
    wanted = max(0.0, plan.sessions_per_order * int(orders.is_sale.sum()) - placed)
    inside = slice(day_range.start, day_range.stop)
    weights = shop.demand.customers[:, inside] * np.array([c.visits.weight for c in plan.campaigns])[:, None]
    counts = rng.poisson(weights / weights.sum() * wanted * ~shop.named_days.is_untracked[inside])
    touch = np.repeat(np.arange(len(plan.campaigns), dtype=np.int16), counts.sum(axis=1))
    day = np.repeat(np.tile(np.array(day_range, dtype=np.int16), len(plan.campaigns)), counts.ravel())
    tables = np.vstack([index_table(c.visits.deepest_rates) for c in plan.campaigns]).astype(np.int8)
    known_before = np.searchsorted(customers.day, np.arange(season.count, dtype=np.int16)).astype(np.int32)[day]
    is_known = (rng.random(len(day), dtype=np.float32) < _KNOWN_VISITOR_RATE) & (known_before > 0)
    known = np.flatnonzero(is_known)
    customer = np.full(len(day), -1, dtype=np.int32)
    customer[known] = rng.random(len(known)) * known_before[known]
    country = draw(rng, index_table([c.share for c in plan.countries]).astype(np.int8), len(day))
    country[known] = customers.country[customer[known]]
    step = rng.integers(0, STEPS, len(day), dtype=np.uint16)
    return _Part(
        at=season.moments(day, rng),
        seconds=rng.integers(5, 900, len(day), dtype=np.int32),
        customer=customer,
        touch=touch,
        deepest=tables.ravel().take(touch * np.int32(STEPS) + step),
        order=np.full(len(day), -1, np.int32),
        country=country,
    )


def _tracked_before(is_untracked: Array) -> Array:
    """Return for each day the last day up to it on which visits were recorded, 0 before the first."""
    days = np.where(is_untracked, 0, np.arange(len(is_untracked)))
    return np.maximum.accumulate(days)


def _free_campaigns(plan: StorePlan) -> tuple[Array, int]:
    """Return the tagged free origins through which known customers come back, and the untagged one (-1 = none)."""
    free = [i for i, c in enumerate(plan.campaigns) if c.source is not None and not c.is_paid]
    untagged = [i for i, c in enumerate(plan.campaigns) if c.source is None]
    return np.array(free or [0], dtype=np.int16), untagged[0] if untagged else -1
