"""What is sold: products with dated prices and costs, and the partners behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from marginwise.demo.arrow_columns import (
    Array,
    constant,
    contract_table,
    days,
    decimals,
    labels,
    masked,
    money,
    timestamps,
)
from marginwise.demo.chance import STEPS, Streams, heavy_tailed

if TYPE_CHECKING:
    from marginwise.demo.plan import StorePlan
    from marginwise.demo.season import Season

__all__ = ["Catalogue", "catalogue_tables"]

_ADJECTIVES = ("Arctic", "Bold", "Calm", "Daily", "Early", "Fine", "Grand", "Honest", "Ivory", "Jolly")
_NOUNS = ("Classic", "Edition", "Essential", "Line", "No. 5", "One", "Original", "Plus", "Set, large", "Set, small")
_LEAD_DAYS = 60


@dataclass(frozen=True, slots=True, eq=False)
class Catalogue:
    """Products by index, with what the truth needs of them. P products, D days.

    Parameters
    ----------
    category, partner
        Index of each product's category and partner (-1 = own brand). Shape (P,).
    list_price, unit_price, unit_cost
        Cents of reporting currency by product and day; the unit price is the list price after a sale. Shape (P, D).
    commission
        Commission in basis points by partner and day; the last row, for own brands, is 0. Shape (partners + 1, D).
    return_rate
        Probability that a line of the product comes back, before the campaign's factor. Shape (P,).
    free_rate
        Probability that a line carries one free piece, by persona and product. Shape (personas, P).
    days_late
        For each partner a table of days by which a line misses the day promised; the last row is for own brands.
        Shape (partners + 1, STEPS).
    popularity
        Weight of each product within its category. Shape (P,).
    choice
        For each cell of campaign and persona a table of product indices, each equally likely. Shape (cells, STEPS).
    shares
        Exact probability of each product, by cell. Shape (cells, P).
    """

    category: Array
    partner: Array
    list_price: Array
    unit_price: Array
    unit_cost: Array
    commission: Array
    return_rate: Array
    free_rate: Array
    days_late: Array
    popularity: Array
    choice: Array
    shares: Array

    @property
    def ids(self) -> list[str]:
        """Product ids by index."""
        return [f"p{i:04d}" for i in range(1, len(self.category) + 1)]

    @classmethod
    def of(cls, plan: StorePlan, season: Season, streams: Streams) -> Catalogue:
        """Draw the products and their histories."""
        rng = streams.of("catalogue")
        category = np.repeat(np.arange(len(plan.categories)), [c.products for c in plan.categories])
        count = len(category)
        partner = np.where(
            rng.random(count) < plan.own_brand_rate, -1, rng.permutation(np.arange(count) % len(plan.partners))
        )
        prices = []
        for item in plan.categories:
            shape = heavy_tailed(item.price_sigma, 3.0, steps=item.products)
            prices.append(np.minimum(shape, 12.0) * item.median_price)
        start_price = rng.permuted(np.concatenate(prices).reshape(len(plan.categories), -1), axis=1).ravel() \
            if len({c.products for c in plan.categories}) == 1 else np.concatenate(prices)  # fmt: skip
        margin = np.array([c.margin_rate for c in plan.categories])[category] + rng.uniform(-0.06, 0.06, count)
        price_factor = _history(rng, count, season.count, yearly=1.2, low=0.96, high=1.08)
        cost_factor = _history(rng, count, season.count, yearly=1.5, low=0.97, high=1.07)
        list_price = np.maximum(np.round(start_price[:, None] * price_factor * 10) * 10, 100).astype(np.int32)
        unit_cost = np.maximum(np.round((start_price * (1 - margin))[:, None] * cost_factor * 100), 10).astype(np.int32)
        sale = season.sale_percents[category]
        change = np.arange(season.count) >= season.count // 2
        commission = np.zeros((len(plan.partners) + 1, season.count), dtype=np.int64)
        for row, item_partner in enumerate(plan.partners):
            commission[row] = np.where(
                change, round(item_partner.later_commission_rate * 10_000), round(item_partner.commission_rate * 10_000)
            )
        returns = np.array([*(p.return_factor for p in plan.partners), 1.0])[partner]
        free = np.minimum(plan.free_rate * np.array([*(p.free_factor for p in plan.partners), 1.0])[partner], 0.5)
        popularity = rng.permuted(1 / (np.arange(count) % 30 + 3.0))
        late_rates = [*(p.late_rate for p in plan.partners), plan.own_late_rate]
        choice, shares = _choice(plan, category, popularity)
        return cls(
            category=category,
            partner=partner,
            list_price=list_price,
            unit_price=(list_price * (100 - sale) + 50) // 100,
            unit_cost=unit_cost,
            commission=commission,
            return_rate=np.array([c.return_rate for c in plan.categories])[category] * returns,
            free_rate=np.vstack(
                [np.full(count, p.free_rate) if p.free_rate is not None else free for p in plan.personas]
            ),
            days_late=np.vstack([_days_late(rate) for rate in late_rates]),
            popularity=popularity,
            choice=choice,
            shares=shares,
        )

    def names(self, plan: StorePlan) -> list[str]:
        """Return product names by index."""
        return [
            f"{_ADJECTIVES[i % 10]} {plan.categories[c].subcategories[i % 3]} {_NOUNS[i // 10 % 10]}"
            for i, c in enumerate(self.category.tolist())
        ]

    @property
    def partner_row(self) -> Array:
        """Row of each product's partner in ``commission`` and ``days_late``. Shape (P,)."""
        return (self.partner % len(self.commission)).astype(np.int32)

    def ranked(self, category: int) -> Array:
        """Return the products of a category, the most popular first."""
        inside = np.flatnonzero(self.category == category)
        return inside[np.argsort(-self.popularity[inside], kind="stable")]


def catalogue_tables(
    plan: StorePlan, season: Season, catalogue: Catalogue, streams: Streams, store_id: str
) -> dict[str, pa.Table]:
    """Return products, product_costs, product_prices, partners and inventory.

    Products get a new version (by ``updated_at``) whenever price or cost changes: versions and dated costs agree.
    """
    cost_product, cost_day = _changes(catalogue.unit_cost)
    price_product, price_day = _changes(catalogue.list_price)
    both = np.stack([catalogue.unit_cost, catalogue.list_price])
    product, day = _changes(both)
    names = [category.name for category in plan.categories]
    index = np.arange(len(catalogue.category))
    subcategories = [
        plan.categories[c].subcategories[i % 3]
        for i, c in zip(index.tolist(), catalogue.category.tolist(), strict=True)
    ]
    brands = [*(p.name if p.kind == "brand" else None for p in plan.partners), "Own brand"]
    launched = season.start - 86_400 * (_LEAD_DAYS + (index * 7) % 900)
    versions = {
        "product_id": labels(product, catalogue.ids),
        "name": pa.array(catalogue.names(plan)).take(pa.array(product)),
        "kind": constant("good", len(product)),
        "category": labels(catalogue.category[product], names),
        "subcategory": pa.array(subcategories).take(pa.array(product)),
        "brand": labels(catalogue.partner[product] % len(brands), brands),
        "partner_id": labels(catalogue.partner[product], _partner_ids(plan)),
        "list_price": money(catalogue.list_price[product, day]),
        "unit_cost": money(catalogue.unit_cost[product, day]),
        "is_active": pa.repeat(True, len(product)),
        "launched_at": timestamps(launched[product]),
        "updated_at": timestamps(_valid_from(season, day)),
    }
    return {
        "products": contract_table("products", versions, store_id),
        "product_costs": contract_table(
            "product_costs",
            {
                "product_id": labels(cost_product, catalogue.ids),
                "valid_from": timestamps(_valid_from(season, cost_day)),
                "unit_cost": money(catalogue.unit_cost[cost_product, cost_day]),
                "currency": constant(plan.currency, len(cost_product)),
            },
            store_id,
        ),
        "product_prices": contract_table(
            "product_prices",
            {
                "product_id": labels(price_product, catalogue.ids),
                "valid_from": timestamps(_valid_from(season, price_day)),
                "list_price": money(catalogue.list_price[price_product, price_day]),
                "currency": constant(plan.currency, len(price_product)),
            },
            store_id,
        ),
        "partners": _partners(plan, season, catalogue, store_id),
        "inventory": _inventory(season, catalogue.ids, streams, store_id),
    }


def _history(rng: np.random.Generator, count: int, days_count: int, *, yearly: float, low: float, high: float) -> Array:
    """Return factors that change on random days, ``yearly`` times a year on average. Shape (count, days)."""
    steps = np.ones((count, days_count))
    changed = rng.random((count, days_count), dtype=np.float32) < yearly / 365
    steps[changed] = rng.uniform(low, high, int(changed.sum()))
    steps[:, 0] = 1.0
    return np.cumprod(steps, axis=1)


def _choice(plan: StorePlan, category: Array, popularity: Array) -> tuple[Array, Array]:
    """Return for each cell of campaign and persona a table of product indices, and the share of each product."""
    names = [item.name for item in plan.categories]
    within = popularity / np.bincount(category, popularity)[category]
    base = np.array([item.share for item in plan.categories])[category] * within
    by_campaign = np.array([[dict(c.tilt).get(name, 1.0) for name in names] for c in plan.campaigns])
    by_persona = np.array([[dict(p.tilt).get(name, 1.0) for name in names] for p in plan.personas])
    factors = (by_campaign[:, None, :] * by_persona[None, :, :]).reshape(-1, len(names))
    weights = np.cumsum(base * factors[:, category], axis=1)
    edges = np.round(weights / weights[:, -1:] * STEPS).astype(np.int64)
    counts = np.diff(edges, axis=1, prepend=0)
    product = np.tile(np.arange(len(category), dtype=np.int16), len(factors))
    return np.repeat(product, counts.ravel()).reshape(len(factors), STEPS), counts / STEPS


def _days_late(rate: float) -> Array:
    """Return a table of days after the day promised: 1 to 7 with ``rate``, else 0 to 2 days before it."""
    late = round(rate * STEPS)
    early = -(np.arange(STEPS - late) % 3)
    return np.concatenate([1 + np.arange(late) % 7, early]).astype(np.int8)


def _changes(values: Array) -> tuple[Array, Array]:
    """Return (product, day) of every first or changed value; values are (P, D) or (kinds, P, D)."""
    stacked = values if values.ndim == 3 else values[None]
    changed = np.ones(stacked.shape[1:], dtype=bool)
    changed[:, 1:] = (stacked[:, :, 1:] != stacked[:, :, :-1]).any(axis=0)
    product, day = np.nonzero(changed)
    return product, day


def _valid_from(season: Season, day: Array) -> Array:
    """Return the second from which a value of ``day`` holds; the first value holds from before the store opened."""
    return season.start + 86_400 * np.where(day == 0, -_LEAD_DAYS, day)


def _partner_ids(plan: StorePlan) -> list[str]:
    return [f"partner{i:02d}" for i in range(1, len(plan.partners) + 1)]


def _partners(plan: StorePlan, season: Season, catalogue: Catalogue, store_id: str) -> pa.Table:
    partner, day = _changes(catalogue.commission[:-1])
    return contract_table(
        "partners",
        {
            "partner_id": labels(partner, _partner_ids(plan)),
            "name": labels(partner, [p.name for p in plan.partners]),
            "kind": labels(partner, [p.kind for p in plan.partners]),
            "segment": labels(partner % 2, ["core", "long tail"]),
            "joined_at": timestamps(season.start - 86_400 * (_LEAD_DAYS + 11 * partner)),
            "commission_rate": decimals(catalogue.commission[partner, day], 4),
            "country": labels(partner, [p.country for p in plan.partners]),
            "updated_at": timestamps(_valid_from(season, day)),
        },
        store_id,
    )


def _inventory(season: Season, ids: list[str], streams: Streams, store_id: str) -> pa.Table:
    """Return stock at the end of each of the last 12 weeks, in two places."""
    rng = streams.of("inventory")
    weeks = np.arange(min(12, season.count // 7))
    product, week, location = (a.ravel() for a in np.meshgrid(np.arange(len(ids)), weeks, np.arange(2), indexing="ij"))
    on_hand = rng.poisson(40, len(product))
    return contract_table(
        "inventory",
        {
            "product_id": labels(product, ids),
            "location": labels(location, ["central", "outlet"]),
            "as_of_date": days(season.first_day + season.count - 1 - 7 * (len(weeks) - 1 - week)),
            "on_hand_quantity": pa.array(on_hand),
            "reorder_point_quantity": masked(pa.array(np.full(len(product), 15)), location == 1),
            "reserved_quantity": pa.array(rng.poisson(2, len(product))),
        },
        store_id,
    )
