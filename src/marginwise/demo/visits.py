"""When somebody orders: first orders, returns until the customer drops out, guests, and orders that come to nothing."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Self

import numpy as np

from marginwise.demo.chance import STEPS, Streams, draw, index_table
from marginwise.demo.customers import Customers, places
from marginwise.demo.season import order_by_time

if TYPE_CHECKING:
    from marginwise.demo.arrow_columns import Array
    from marginwise.demo.demand import Demand
    from marginwise.demo.personas import Personas
    from marginwise.demo.plan import StorePlan
    from marginwise.demo.season import Season

__all__ = ["CANCELLED", "SALE", "TEST", "VOID", "Calendar", "Visits"]

SALE, CANCELLED, VOID, TEST = 0, 1, 2, 3
_MOST_ORDERS = 120


@dataclass(frozen=True, slots=True, eq=False)
class Calendar:
    """Every sale of the store, sorted by day, and how customers left. S sales, N customers.

    Parameters
    ----------
    customer
        Index of the customer, -1 for a guest. Shape (S,).
    day
        Day of the store. Shape (S,).
    number
        1 for the first order of a customer, 2 for the second …; 1 for guests. Shape (S,).
    orders
        Orders of each customer within the store's days. Shape (N,).
    last_day
        Day of each customer's last order. Shape (N,).
    next_day
        Day of the order that will follow after the store's last day, -1 for customers who dropped out. Shape (N,).
    """

    customer: Array
    day: Array
    number: Array
    orders: Array
    last_day: Array
    next_day: Array

    @classmethod
    def of(cls, season: Season, demand: Demand, customers: Customers, personas: Personas, streams: Streams) -> Self:
        """Draw the returns of every customer, and the days of guests."""
        rng = streams.of("visits")
        orders = np.ones(customers.count, dtype=np.int16)
        last_day = customers.day.copy()
        next_day = np.full(customers.count, -1, dtype=np.int16)
        buyer = np.arange(customers.count, dtype=np.int32)
        day = customers.day
        waves = [(buyer, day)]
        cell = customers.campaign * np.int16(personas.count) + customers.persona
        chance = personas.first_return.ravel().astype(np.float32).take(cell)
        go_on = personas.continue_rate.astype(np.float32)
        gaps = personas.gaps.ravel()
        for number in range(2, _MOST_ORDERS):
            goes_on = rng.random(len(buyer), dtype=np.float32) < chance
            buyer = buyer[goes_on]
            if not len(buyer):
                break
            persona = customers.persona[buyer]
            step = rng.integers(0, STEPS, len(buyer), dtype=np.uint16)
            day = day[goes_on] + gaps.take(persona * np.int32(STEPS) + step)
            is_inside = day < season.count
            next_day[buyer[~is_inside]] = day[~is_inside]
            buyer, day, persona = buyer[is_inside], day[is_inside], persona[is_inside]
            orders[buyer], last_day[buyer] = number, day
            waves.append((buyer, day))
            chance = go_on.take(persona)
        guests = rng.poisson(demand.guests)
        waves.append((np.full(guests.sum(), -1, np.int32), np.repeat(np.arange(season.count, dtype=np.int16), guests)))
        numbers = np.repeat([*range(1, len(waves)), 1], [len(wave) for wave, _ in waves]).astype(np.int16)
        day = np.concatenate([days for _, days in waves])
        by_day = np.argsort(day, kind="stable")
        customer = np.concatenate([buyers for buyers, _ in waves])
        return cls(
            customer=customer[by_day],
            day=day[by_day],
            number=numbers[by_day],
            orders=orders,
            last_day=last_day,
            next_day=next_day,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Visits:
    """Moments of some days at which an order is placed, sorted by time. O orders, all shapes (O,).

    Parameters
    ----------
    kind
        SALE, CANCELLED, VOID or TEST.
    customer
        Index of the customer, -1 for a guest or a test.
    campaign, persona
        Origin and kind of the customer; for a guest, of the visit.
    number
        1 for the first order of a customer, 2 for the second …; 1 for guests. A copy has that of its sale.
    day, at
        Day of the store and second since 1970.
    country, city, size
        As of the customer.
    """

    kind: Array
    customer: Array
    campaign: Array
    persona: Array
    number: Array
    day: Array
    at: Array
    country: Array
    city: Array
    size: Array

    @property
    def count(self) -> int:
        """Number of orders."""
        return len(self.kind)

    @property
    def is_first(self) -> Array:
        """True for the first sale to a customer."""
        is_first: Array = (self.number == 1) & (self.customer >= 0) & (self.kind == SALE)
        return is_first

    @classmethod
    def of(
        cls, plan: StorePlan, season: Season, demand: Demand, customers: Customers, personas: Personas,
        calendar: Calendar, rows: slice, streams: Streams,
    ) -> Self:  # fmt: skip
        """Fill in the sales in ``rows``, and add the orders that come to nothing."""
        rng = streams.of("moments")
        customer, day = calendar.customer[rows], calendar.day[rows]
        guests = np.flatnonzero(customer < 0)
        whole = {
            name: getattr(customers, name).take(customer, mode="clip")
            for name in ("campaign", "persona", "country", "city", "size")
        }
        whole["campaign"][guests] = draw(rng, index_table(demand.customers.sum(axis=1)).astype(np.int16), len(guests))
        steps = rng.integers(0, STEPS, (2, len(guests)), dtype=np.uint16)
        whole["persona"][guests] = personas.table[whole["campaign"][guests], steps[0]]
        whole["country"][guests], whole["city"][guests] = places(plan, rng, len(guests))
        whole["size"][guests] = personas.sizes[whole["persona"][guests], steps[1]]
        sales = cls(
            kind=np.full(len(day), SALE, np.int8),
            customer=customer,
            number=calendar.number[rows],
            day=day,
            at=season.moments(day, rng),
            **whole,
        )
        return sales._with_those_that_come_to_nothing(plan, rng)

    def _with_those_that_come_to_nothing(self, plan: StorePlan, rng: np.random.Generator) -> Self:
        """Add, on the day of a sale, orders cancelled after it, void ones before it and tests of nobody."""
        copied = [
            np.flatnonzero(rng.random(self.count, dtype=np.float32) < rate)
            for rate in (plan.cancelled_rate, plan.void_rate, plan.test_rate)
        ]
        copies = np.concatenate(copied)
        kind = np.repeat(np.array([SALE, CANCELLED, VOID, TEST], np.int8), [self.count, *(len(c) for c in copied)])
        second = self.at[copies] % 86_400
        later = np.minimum(rng.integers(120, 1_500, len(copies)), 86_399 - second)
        shift = np.where(kind[self.count :] == CANCELLED, later, -np.minimum(300, second))
        at = np.concatenate([self.at, self.at[copies] + shift])
        by_time = order_by_time(at)
        row = np.concatenate([np.arange(self.count), copies])[by_time]
        kind = kind[by_time]
        whole = {field.name: getattr(self, field.name).take(row) for field in fields(self)}
        customer = np.where(kind == TEST, np.int32(-1), whole["customer"])
        return type(self)(**{**whole, "kind": kind, "at": at[by_time], "customer": customer})
