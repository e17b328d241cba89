"""Who buys and when: customers acquired day by day, their returns, and what the store knows of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from marginwise.demo.arrow_columns import Array, contract_table, days, identifiers, labels, masked, money, timestamps
from marginwise.demo.chance import Streams, draw, heavy_tailed, index_table

if TYPE_CHECKING:
    from marginwise.demo.demand import Demand
    from marginwise.demo.plan import StorePlan
    from marginwise.demo.season import Season

__all__ = ["Customers", "customer_tables", "places", "sizes"]

_GIVEN = (
    "Anna",
    "Ben",
    "Clara",
    "David",
    "Elif",
    "Finn",
    "Greta",
    "Hugo",
    "Ines",
    "Jan",
    "Kira",
    "Luis",
    "Mia",
    "Noah",
    "Olga",
    "Paul",
    "Rosa",
    "Sami",
    "Tess",
    "Yann",
)
_FAMILY = (
    "Abel",
    "Bauer",
    "Costa",
    "Dubois",
    "Evans",
    "Fischer",
    "Garcia",
    "Huber",
    "Ito",
    "Jansen",
    "Keller",
    "Lang",
    "Moreau",
    "Novak",
    "Otto",
    "Peters",
    "Ruiz",
    "Smith",
    "Vogel",
    "Weiss",
)
_SEGMENTS = ("private", "business")
_PLANS = (("coffee box", 19_00), ("care box", 29_00), ("coffee box XL", 34_00))


@dataclass(frozen=True, slots=True, eq=False)
class Customers:
    """Customers by index, in the order they were acquired. N customers.

    Parameters
    ----------
    campaign, day
        Origin and day of the first order. Shape (N,).
    country, city
        Where orders go. Shape (N,).
    size
        Pieces wanted of each line: heavy-tailed, the same in all orders of a customer. Shape (N,).
    """

    campaign: Array
    day: Array
    country: Array
    city: Array
    size: Array

    @property
    def count(self) -> int:
        """Number of customers."""
        return len(self.day)

    @classmethod
    def of(cls, plan: StorePlan, demand: Demand, streams: Streams) -> Self:
        """Draw who was acquired, from where and when."""
        rng = streams.of("customers")
        counts = rng.poisson(demand.customers.T)
        day = np.repeat(np.arange(counts.shape[0], dtype=np.int16), counts.sum(axis=1))
        campaign = np.repeat(np.tile(np.arange(counts.shape[1], dtype=np.int16), counts.shape[0]), counts.ravel())
        country, city = places(plan, rng, len(day))
        return cls(campaign=campaign, day=day, country=country, city=city, size=draw(rng, sizes(plan), len(day)))


def sizes(plan: StorePlan) -> Array:
    """Return the table of pieces wanted of each line, at least 1."""
    return np.clip(heavy_tailed(plan.bulk_sigma, plan.bulk_tail) * 0.75, 1.0, 60.0)


def customer_tables(
    plan: StorePlan, season: Season, customers: Customers, first_at: Array, streams: Streams, store_id: str
) -> dict[str, pa.Table]:
    """Return customers (with later versions of those who moved) and subscriptions.

    Parameters
    ----------
    plan, season, customers, streams, store_id
        The store.
    first_at
        Second of each customer's first order; the account is made a few minutes before. Shape (N,).
    """
    rng = streams.of("accounts")
    count = customers.count
    idle = round(count * 0.04)
    number = np.arange(1, count + idle + 1)
    created = np.concatenate([first_at - rng.integers(60, 600, count), rng.integers(season.start, season.end, idle)])
    idle_country, idle_city = places(plan, rng, idle)
    country = np.concatenate([customers.country, idle_country])
    city = np.concatenate([customers.city, idle_city])
    is_business = rng.random(count + idle) < 0.06
    given, family = rng.integers(0, len(_GIVEN), count + idle), rng.integers(0, len(_FAMILY), count + idle)
    birth = rng.integers(-9_000, 13_000, count + idle)
    has_consent = rng.random(count + idle) < 0.7
    moved = np.flatnonzero((rng.random(count + idle) < 0.08) & (created + 5 * 86_400 < season.end))
    row = np.concatenate([np.arange(count + idle), moved])
    updated = np.concatenate([created, rng.integers(created[moved] + 86_400, season.end)])
    was_moved = np.arange(len(row)) >= count + idle
    cities = [(c.code, *place) for c in plan.countries for place in c.cities]
    cities_before = np.cumsum([0, *(len(c.cities) for c in plan.countries)])
    city_now = np.where(was_moved, cities_before[country[row]], city[row])
    names = pa.array([f"{g} {f}" for g in _GIVEN for f in _FAMILY])
    table = contract_table(
        "customers",
        {
            "customer_id": identifiers("c", number[row]),
            "created_at": timestamps(created[row]),
            "email": pc.binary_join_element_wise(identifiers("c", number[row]), "example.com", "@"),
            "name": names.take(pa.array((given * len(_FAMILY) + family)[row])),
            "phone": masked(identifiers("+", number[row] + 3_000_000_000), row % 3 == 0),
            "birth_date": masked(days(birth[row]), row % 2 == 0),
            "country": labels(city_now, [place[0] for place in cities]),
            "region": labels(city_now, [place[2] for place in cities]),
            "city": labels(city_now, [place[1] for place in cities]),
            "segment": labels((is_business[row] | (was_moved & (row % 4 == 0))).astype(np.int8), _SEGMENTS),
            "consent": pa.array(has_consent[row]),
            "updated_at": timestamps(updated),
        },
        store_id,
    )
    return {"customers": table, "subscriptions": _subscriptions(plan, season, first_at, streams, store_id)}


def places(plan: StorePlan, rng: np.random.Generator, count: int) -> tuple[Array, Array]:
    """Draw (country, city) indices; cities are counted over all countries."""
    country = draw(rng, index_table([c.share for c in plan.countries]).astype(np.int8), count)
    cities = np.array([len(c.cities) for c in plan.countries])
    before = np.concatenate([[0], np.cumsum(cities)[:-1]])
    return country, (before[country] + (rng.random(count) * cities[country]).astype(np.int64)).astype(np.int8)


def _subscriptions(plan: StorePlan, season: Season, first_at: Array, streams: Streams, store_id: str) -> pa.Table:
    """Return one row per version: started, some changed plan, some cancelled."""
    rng = streams.of("subscriptions")
    buyer = np.flatnonzero(rng.random(len(first_at)) < plan.subscription_rate)
    start = first_at[buyer] + rng.integers(3_600, 20 * 86_400, len(buyer))
    buyer, start = buyer[start < season.end], start[start < season.end]
    change = start + rng.integers(40, 200, len(buyer)) * 86_400
    cancel = start + rng.integers(30, 900, len(buyer)) * 86_400
    is_changed = (rng.random(len(buyer)) < 0.3) & (change < np.minimum(cancel, season.end))
    is_cancelled = cancel < season.end
    offer = rng.integers(0, 2, len(buyer))
    number = np.arange(1, len(buyer) + 1)
    versions = [(number, start, np.where(is_changed, change, np.where(is_cancelled, cancel, -1)), offer, 0)]
    versions.append(
        (
            number[is_changed],
            change[is_changed],
            np.where(is_cancelled, cancel, -1)[is_changed],
            offer[is_changed] + 1,
            0,
        )
    )
    last = np.where(is_changed, offer + 1, offer)
    versions.append(
        (number[is_cancelled], cancel[is_cancelled], np.full(int(is_cancelled.sum()), -1), last[is_cancelled], 1)
    )
    which, valid_from, valid_to, plan_index = (np.concatenate([v[i] for v in versions]) for i in range(4))
    cancelled = np.concatenate([np.full(len(v[0]), v[4]) for v in versions])
    ended = np.where(cancelled == 1, valid_from, -1)
    order = np.lexsort((valid_from, which))
    which, valid_from, valid_to, plan_index, cancelled, ended = (
        a[order] for a in (which, valid_from, valid_to, plan_index, cancelled, ended)
    )
    return contract_table(
        "subscriptions",
        {
            "subscription_id": identifiers("b", which),
            "valid_from": timestamps(valid_from),
            "customer_id": identifiers("c", buyer[which - 1] + 1),
            "plan": labels(plan_index, [name for name, _ in _PLANS]),
            "status": labels(cancelled, ["active", "cancelled"]),
            "monthly_amount": money(np.array([price for _, price in _PLANS])[plan_index]),
            "started_at": timestamps(start[which - 1]),
            "ended_at": timestamps(ended),
            "cancelled_at": timestamps(ended),
            "valid_to": timestamps(valid_to),
        },
        store_id,
    )
