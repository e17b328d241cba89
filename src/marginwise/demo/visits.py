"""When somebody orders: first orders, returns, guests, and the orders that come to nothing."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Self

import numpy as np

from marginwise.demo.chance import Streams, draw, index_table
from marginwise.demo.customers import Customers, places, sizes
from marginwise.demo.demand import Demand, gap_table

if TYPE_CHECKING:
    from marginwise.demo.arrow_columns import Array
    from marginwise.demo.plan import StorePlan
    from marginwise.demo.season import Season

__all__ = ["CANCELLED", "SALE", "TEST", "VOID", "Visits"]

SALE, CANCELLED, VOID, TEST = 0, 1, 2, 3


@dataclass(frozen=True, slots=True, eq=False)
class Visits:
    """Moments at which an order is placed, sorted by time. O orders, all shapes (O,).

    Parameters
    ----------
    kind
        SALE, CANCELLED, VOID or TEST.
    customer
        Index of the customer, -1 for a guest or a test.
    campaign
        Origin of the customer; for a guest, of the visit.
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

    def rows(self, which: Array | slice) -> Self:
        """Return the orders at ``which``."""
        return type(self)(**{field.name: getattr(self, field.name)[which] for field in fields(self)})

    @classmethod
    def of(cls, plan: StorePlan, season: Season, demand: Demand, customers: Customers, streams: Streams) -> Self:
        """Draw the returns of every customer, the guests, and the orders that come to nothing."""
        rng = streams.of("visits")
        buyer, bought_on, number = _customer_orders(plan, season, demand, customers, rng)
        guests = rng.poisson(demand.guests)
        guest_count = int(guests.sum())
        guest_country, guest_city = places(plan, rng, guest_count)
        origins = index_table(demand.customers.sum(axis=1)).astype(np.int16)
        day = np.concatenate([bought_on, np.repeat(np.arange(season.count, dtype=np.int16), guests)])
        sales = cls(
            kind=np.full(len(day), SALE, np.int8),
            customer=np.concatenate([buyer, np.full(guest_count, -1, np.int32)]),
            campaign=np.concatenate([customers.campaign[buyer], draw(rng, origins, guest_count)]),
            number=np.concatenate([number, np.ones(guest_count, np.int16)]),
            day=day,
            at=season.moments(day, rng),
            country=np.concatenate([customers.country[buyer], guest_country]),
            city=np.concatenate([customers.city[buyer], guest_city]),
            size=np.concatenate([customers.size[buyer], draw(rng, sizes(plan), guest_count)]),
        )
        return sales._with_those_that_come_to_nothing(plan, rng)

    def _with_those_that_come_to_nothing(self, plan: StorePlan, rng: np.random.Generator) -> Self:
        """Add, on the day of a sale, orders cancelled after it, void ones before it and tests of nobody."""
        chance = rng.random((3, self.count), dtype=np.float32)
        copied = [
            np.flatnonzero(chance[i] < rate)
            for i, rate in enumerate((plan.cancelled_rate, plan.void_rate, plan.test_rate))
        ]
        row = np.concatenate([np.arange(self.count), *copied])
        kinds = np.array([SALE, CANCELLED, VOID, TEST], dtype=np.int8)
        kind = np.repeat(kinds, [self.count, *(len(rows) for rows in copied)])
        second = self.at[row] % 86_400
        shift = np.select(
            [kind == SALE, kind == CANCELLED],
            [0, np.minimum(rng.integers(120, 1_500, len(row)), 86_399 - second)],
            -np.minimum(300, second),
        )
        order = np.argsort(self.at[row] + shift, kind="stable")
        row, kind, shift = row[order], kind[order], shift[order]
        whole = {field.name: getattr(self, field.name)[row] for field in fields(self)}
        customer = np.where(kind == TEST, np.int32(-1), whole["customer"])
        return type(self)(**{**whole, "kind": kind, "at": whole["at"] + shift, "customer": customer})


def _customer_orders(
    plan: StorePlan, season: Season, demand: Demand, customers: Customers, rng: np.random.Generator
) -> tuple[Array, Array, Array]:
    """Return (customer, day, number) of every order of every customer: all first orders, then all second ones."""
    gaps = gap_table(plan.repeat)
    buyer = np.arange(customers.count, dtype=np.int32)
    day = customers.day.astype(np.int32)
    waves = [(buyer, customers.day)]
    goes_on = rng.random(customers.count, dtype=np.float32) < demand.first_return[customers.campaign]
    while goes_on.any():
        buyer, day = buyer[goes_on], day[goes_on] + draw(rng, gaps, int(goes_on.sum()))
        is_inside = day < season.count
        buyer, day = buyer[is_inside], day[is_inside]
        waves.append((buyer, day.astype(np.int16)))
        goes_on = rng.random(len(buyer), dtype=np.float32) < plan.repeat.continue_rate
    sizes_of_waves = [len(buyer) for buyer, _ in waves]
    number = np.repeat(np.arange(1, len(waves) + 1, dtype=np.int16), sizes_of_waves)
    return np.concatenate([buyer for buyer, _ in waves]), np.concatenate([day for _, day in waves]), number
