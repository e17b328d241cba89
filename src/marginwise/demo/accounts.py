"""What the store knows of its customers: accounts with their versions, and subscriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from marginwise.demo.arrow_columns import (
    Array,
    contract_table,
    days,
    id_words,
    identifiers,
    labels,
    masked,
    money,
    timestamps,
    words_column,
)
from marginwise.demo.customers import places

if TYPE_CHECKING:
    from marginwise.demo.chance import Streams
    from marginwise.demo.customers import Customers
    from marginwise.demo.plan import StorePlan
    from marginwise.demo.season import Season

__all__ = ["account_table", "subscription_table"]

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
_NAMES = [f"{given} {family}" for given in _GIVEN for family in _FAMILY]
_PLANS = (("coffee box", 19_00), ("care box", 29_00), ("coffee box XL", 34_00))


def account_table(
    plan: StorePlan, season: Season, customers: Customers, rows: range, first_at: Array, streams: Streams, store_id: str
) -> pa.Table:
    """Return ``customers`` for the customers in ``rows``, with later versions of those who moved.

    Parameters
    ----------
    plan, season, customers, streams, store_id
        The store.
    rows
        Which customers. The last ones bring the accounts of people who never bought.
    first_at
        Second of each customer's first order; the account is made a few minutes before. Shape (N,).
    """
    rng = streams.of("accounts")
    idle = round(customers.count * 0.04) if rows.stop == customers.count else 0
    count = len(rows) + idle
    number = rows.start + 1 + np.arange(count)
    bought = first_at[rows.start : rows.stop]
    created = np.concatenate([bought - rng.integers(60, 600, len(rows)), rng.integers(season.start, season.end, idle)])
    idle_country, idle_city = places(plan, rng, idle)
    country = np.concatenate([customers.country[rows.start : rows.stop], idle_country])
    city = np.concatenate([customers.city[rows.start : rows.stop], idle_city])
    is_business = rng.random(count, dtype=np.float32) < 0.06
    name = rng.integers(0, len(_NAMES), count, dtype=np.int16)
    birth = rng.integers(-9_000, 13_000, count, dtype=np.int32)
    has_consent = rng.random(count, dtype=np.float32) < 0.7
    moved = np.flatnonzero((rng.random(count, dtype=np.float32) < 0.08) & (created + 5 * 86_400 < season.end))
    row = np.concatenate([np.arange(count), moved])
    updated = np.concatenate([created, rng.integers(created[moved] + 86_400, season.end)])
    was_moved = np.arange(len(row)) >= count
    cities = [(c.code, *place) for c in plan.countries for place in c.cities]
    cities_before = np.cumsum([0, *(len(c.cities) for c in plan.countries)]).astype(np.int8)
    city_now = np.where(was_moved, cities_before[country[row]], city[row])
    segment = (is_business[row] | (was_moved & (row % 4 == 0))).astype(np.int8)
    words = id_words("c", number[row])
    return contract_table(
        "customers",
        {
            "customer_id": words_column(words),
            "created_at": timestamps(created[row]),
            "email": _emails(words),
            "name": labels(name[row], _NAMES),
            "phone": masked(identifiers("+", number[row] + 3_000_000_000), row % 3 == 0),
            "birth_date": masked(days(birth[row]), row % 2 == 0),
            "country": labels(city_now, [place[0] for place in cities]),
            "region": labels(city_now, [place[2] for place in cities]),
            "city": labels(city_now, [place[1] for place in cities]),
            "segment": labels(segment, _SEGMENTS),
            "consent": pa.array(has_consent[row]),
            "updated_at": timestamps(updated),
        },
        store_id,
    )


def _emails(words: Array) -> pa.Array:
    """Return the addresses ``<customer id>@example.com``, 24 bytes each."""
    count = len(words)
    text = np.empty((count, 2), dtype=words.dtype)
    text[:, 0] = words
    text[:, 1] = np.frombuffer(b"@example.com", dtype=words.dtype)
    offsets = np.arange(0, 24 * (count + 1), 24, dtype=np.int32)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(text.view(np.uint8))]
    return pa.Array.from_buffers(pa.string(), count, buffers)


def subscription_table(plan: StorePlan, season: Season, first_at: Array, streams: Streams, store_id: str) -> pa.Table:
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
