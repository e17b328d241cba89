"""A store made part by part: what is drawn once, then its orders and visits a few days at a time."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from marginwise.demo.catalogue import Catalogue, catalogue_tables
from marginwise.demo.chance import Streams
from marginwise.demo.customers import Customers, customer_tables
from marginwise.demo.demand import Demand, spend_tables
from marginwise.demo.expectation import Expectation
from marginwise.demo.orders import Orders, order_tables
from marginwise.demo.outcome import Outcome
from marginwise.demo.refunds import Refunds, refund_table
from marginwise.demo.season import Season, exchange_rate_table, weather_table
from marginwise.demo.traffic import Traffic, event_table, session_table
from marginwise.demo.truth import StoreTruth, Window, unit_truths
from marginwise.demo.visits import Visits

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    import pyarrow as pa

    from marginwise.demo.plan import StorePlan

__all__ = ["Generation"]

_ROWS_OF_A_PART = 1 << 17
_TIME_ZONE = "UTC"


@dataclass(frozen=True, slots=True, eq=False)
class Generation:
    """A store in the making.

    Small arrays keep to the processor's cache and the allocator's pool, so a large store is made in parts of whole
    days: four times faster than at once, and in bounded memory. A store of default size is one part.

    Parameters
    ----------
    plan, seed, store_id
        What is planted, and for whom.
    season, catalogue, demand, customers, visits
        Drawn once for the whole store.
    outcome, rows
        What the parts made so far add up to.
    """

    plan: StorePlan
    seed: int
    store_id: str
    season: Season
    catalogue: Catalogue
    demand: Demand
    customers: Customers
    visits: Visits
    outcome: Outcome
    rows: Counter[str]

    @classmethod
    def of(cls, plan: StorePlan, *, orders: int, seed: int, days: int, last_day: date, store_id: str) -> Self:
        """Draw what belongs to the whole store."""
        streams = Streams(seed)
        season = Season.of(plan, streams, last_day, days)
        demand = Demand.of(plan, season, streams, orders)
        customers = Customers.of(plan, demand, streams)
        return cls(
            plan=plan,
            seed=seed,
            store_id=store_id,
            season=season,
            catalogue=Catalogue.of(plan, season, streams),
            demand=demand,
            customers=customers,
            visits=Visits.of(plan, season, demand, customers, streams),
            outcome=Outcome.empty(customers.count),
            rows=Counter(),
        )

    def parts(self) -> Iterator[dict[str, pa.Table]]:
        """Yield the tables of one part after the other; the last one brings those that are made once."""
        days_of_part = self._days_of_parts()
        for number, day_range in enumerate(days_of_part):
            tables = self._part(number, day_range)
            if number == len(days_of_part) - 1:
                tables |= self._whole()
            self.rows.update({name: table.num_rows for name, table in tables.items()})
            yield tables

    def truth(self) -> StoreTruth:
        """Return the truth, once all parts are made."""
        plan, season, window = (
            self.plan,
            self.season,
            Window.of(self.plan, int(self.visits.day[0]), int(self.visits.day[-1])),
        )
        expectation = Expectation.of(plan, season, self.catalogue, self.demand)
        totals = {**self.outcome.totals, "spend_amount": float(self.demand.spend_in_reporting.sum())}
        return StoreTruth(
            seed=self.seed,
            orders=self.demand.orders,
            currency=plan.currency,
            time_zone=_TIME_ZONE,
            horizon_days=plan.horizon_days,
            first_day=season.day(0),
            last_day=season.day(season.count - 1),
            as_of_date=season.day(window.as_of),
            window_start_date=season.day(window.start),
            window_end_date=season.day(window.end),
            units=unit_truths(plan, window, self.demand, expectation, self.customers, self.outcome),
            totals={name: round(value, 2) for name, value in totals.items()},
            rows=dict(self.rows),
            dirt=(),
            settings={
                "store": {"name": "Demo store", "currency": plan.currency, "time_zone": _TIME_ZONE},
                "channels": {"affiliate_commission_in": "spend"},
            },
            planted=asdict(plan),
        )

    def _days_of_parts(self) -> list[range]:
        orders_a_day = np.bincount(self.visits.day, minlength=self.season.count)
        rows_so_far = np.cumsum(orders_a_day * max(2.0, self.plan.sessions_per_order))
        part = (rows_so_far // _ROWS_OF_A_PART).astype(np.int64)
        starts = np.flatnonzero(np.diff(part, prepend=-1))
        return [range(start, stop) for start, stop in zip(starts, [*starts[1:], self.season.count], strict=True)]

    def _part(self, number: int, day_range: range) -> dict[str, pa.Table]:
        plan, season, store_id, before = self.plan, self.season, self.store_id, self.rows
        streams = Streams(self.seed, part=number + 1)
        bounds = np.searchsorted(self.visits.day, [day_range.start, day_range.stop])
        visits = self.visits.rows(slice(*bounds))
        orders = Orders.of(plan, season, self.catalogue, visits, streams, before["orders"])
        refunds = Refunds.of(plan, season, self.catalogue, orders, streams)
        self.outcome.add(plan, self.customers, orders, refunds)
        traffic = Traffic.of(plan, season, self.demand, self.customers, orders, day_range, streams, before["sessions"])
        return {
            **order_tables(
                plan, season, self.catalogue, orders, traffic.session_of_order, before["reviews"], streams, store_id
            ),
            "refunds": refund_table(plan, self.catalogue, orders, refunds, before["refunds"], store_id),
            "sessions": session_table(plan, traffic, streams, store_id),
            "events": event_table(self.catalogue, orders, traffic, before["events"], streams, store_id),
        }

    def _whole(self) -> dict[str, pa.Table]:
        plan, season, store_id = self.plan, self.season, self.store_id
        streams = Streams(self.seed)
        first = np.flatnonzero(self.visits.is_first)
        first_at = np.empty(self.customers.count, dtype=np.int64)
        first_at[self.visits.customer[first]] = self.visits.at[first]
        return {
            **customer_tables(plan, season, self.customers, first_at, streams, store_id),
            **catalogue_tables(plan, season, self.catalogue, streams, store_id),
            **spend_tables(plan, season, self.demand, streams, store_id),
            "exchange_rates": exchange_rate_table(plan, season, store_id),
            "weather": weather_table(plan, season, streams, store_id),
        }
