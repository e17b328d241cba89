"""The store's days: growth and season of demand, sales and exchange rates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from marginwise.demo.arrow_columns import Array, contract_table, days, decimals

if TYPE_CHECKING:
    from marginwise.demo.chance import Streams
    from marginwise.demo.plan import StorePlan

__all__ = ["Season", "exchange_rate_table", "order_by_time"]

_EPOCH = date(1970, 1, 1)
_HOURS = (2, 1, 1, 1, 1, 2, 4, 7, 9, 11, 12, 13, 14, 12, 12, 12, 13, 15, 18, 22, 24, 21, 13, 6)
_SALES = (
    # from (month, day), to (month, day), percent off, categories (none = all)
    ((11, 24), (11, 30), 15, ()),
    ((1, 2), (1, 14), 20, ("Fashion", "Shoes", "Home & Living")),
    ((7, 1), (7, 10), 10, ("Outdoor", "Fashion")),
)


@dataclass(frozen=True, slots=True, eq=False)
class Season:
    """The days of the store and what they bring.

    Parameters
    ----------
    first_day
        Days since 1970 of the first day.
    demand
        Share of the store's customers acquired on each day if spend went to plan; adds up to 1. Shape (days,).
    sale_percents
        Percent off the list price, by category and day. Shape (categories, days).
    foreign_rates
        Reporting currency per unit in millionths, by foreign currency and day. Shape (currencies, days).
    seconds
        Quantiles of the second of the day at which things happen.
    """

    first_day: int
    demand: Array
    sale_percents: Array
    foreign_rates: Array
    seconds: Array

    @property
    def count(self) -> int:
        """Number of days."""
        return len(self.demand)

    @property
    def start(self) -> int:
        """Seconds since 1970 at which the first day begins."""
        return self.first_day * 86_400

    @property
    def end(self) -> int:
        """Seconds since 1970 of the last second."""
        return (self.first_day + self.count) * 86_400 - 1

    def day(self, number: int) -> date:
        """Return the date of day ``number``, counted from 0."""
        return _EPOCH + timedelta(days=self.first_day + number)

    def rates(self, plan: StorePlan, currency: str) -> Array:
        """Return reporting currency per unit of ``currency``, by day."""
        if currency == plan.currency:
            return np.ones(self.count)
        row = [name for name, _ in plan.foreign_rates].index(currency)
        rates: Array = self.foreign_rates[row] / 1e6
        return rates

    def moments(self, day: Array, rng: np.random.Generator) -> Array:
        """Return a second since 1970 for each day of ``day``, at the hours at which people shop."""
        second = self.seconds[rng.integers(0, len(self.seconds), len(day), dtype=np.uint16)]
        return self.start + 86_400 * day.astype(np.int64) + second + rng.integers(0, 20, len(day), dtype=np.int32)

    @classmethod
    def of(cls, plan: StorePlan, streams: Streams, last_day: date, count: int) -> Season:
        """Lay out ``count`` days up to and including ``last_day``."""
        first_day = (last_day - _EPOCH).days - count + 1
        dates = np.datetime64(first_day, "D") + np.arange(count)
        month = dates.astype("M8[M]")
        months_days = [
            *zip(
                (month.astype(np.int64) % 12 + 1).tolist(), ((dates - month).astype(np.int64) + 1).tolist(), strict=True
            )
        ]
        year = ((dates - dates.astype("M8[Y]")).astype(np.int64) + 1) / 365.25
        weekday = np.array(plan.weekday_weights)[(first_day + 3 + np.arange(count)) % 7]
        yearly = 1 + plan.season_strength * np.cos(2 * np.pi * (year - 0.93)) + 0.05 * np.cos(4 * np.pi * (year - 0.45))
        black_week = np.array([1.9 if (11, 24) <= md <= (11, 30) else 1.0 for md in months_days])
        growth = (1 + plan.growth_per_year) ** (np.arange(count) / 365)
        demand = growth * yearly * weekday * black_week
        sales = np.zeros((len(plan.categories), count), dtype=np.int64)
        for start, end, percent, names in _SALES:
            inside = np.array([start <= md <= end for md in months_days])
            for row, category in enumerate(plan.categories):
                if not names or category.name in names:
                    sales[row, inside] = percent
        steps = streams.of("exchange rates").normal(0, 0.0035, (len(plan.foreign_rates), count)).cumsum(axis=1)
        means = np.array([rate for _, rate in plan.foreign_rates]).reshape(-1, 1)
        edges = np.concatenate([[0.0], np.cumsum(_HOURS) / np.sum(_HOURS)])
        seconds = np.interp((np.arange(4096) + 0.5) / 4096, edges, np.arange(25) * 3600.0)
        return cls(
            first_day=first_day,
            demand=demand / demand.sum(),
            sale_percents=sales,
            foreign_rates=np.round(means * np.exp(np.clip(steps, -0.2, 0.2)) * 1e6).astype(np.int64),
            seconds=np.minimum(seconds, 86_380).astype(np.int32),
        )


def order_by_time(moments: Array) -> Array:
    """Return the indices that sort seconds since 1970, equal ones in their order.

    >>> order_by_time(np.array([30, 10, 30, 20])).tolist()
    [1, 3, 0, 2]
    """
    bits = max(len(moments) - 1, 1).bit_length()
    return np.sort((moments << bits) | np.arange(len(moments))) & ((1 << bits) - 1)


def exchange_rate_table(plan: StorePlan, season: Season, store_id: str) -> pa.Table:
    """Return ``exchange_rates``: every day, every currency, the reporting currency included at 1."""
    names = [plan.currency, *(name for name, _ in plan.foreign_rates)]
    rates = np.vstack([np.full(season.count, 10**6), season.foreign_rates])
    return contract_table(
        "exchange_rates",
        {
            "date": days(np.tile(season.first_day + np.arange(season.count), len(names))),
            "currency": pa.array(np.repeat(names, season.count)),
            "rate": decimals(rates.ravel(), 6),
        },
        store_id,
    )
