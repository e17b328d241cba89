"""A store made part by part: what is drawn once, then its orders and visits a few days at a time."""

from __future__ import annotations

from collections import Counter, deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np

from marginwise.demo.accounts import account_table, subscription_table
from marginwise.demo.catalogue import catalogue_tables
from marginwise.demo.chance import Streams
from marginwise.demo.customers import Customers
from marginwise.demo.order_tables import order_tables
from marginwise.demo.orders import Orders
from marginwise.demo.outcome import Outcome, PartOutcome
from marginwise.demo.planted import (
    customer_truth,
    dropout_truth,
    pair_truths,
    partner_truths,
    persona_truths,
    share_truths,
)
from marginwise.demo.refunds import Refunds, refund_table
from marginwise.demo.season import exchange_rate_table
from marginwise.demo.shop import Shop
from marginwise.demo.spend import response_truths, spend_tables
from marginwise.demo.traffic import Traffic, declared_touches
from marginwise.demo.traffic_tables import event_table, session_table
from marginwise.demo.truth import StoreTruth, Window
from marginwise.demo.unit_truths import Planned, unit_truths
from marginwise.demo.visits import Calendar, Visits
from marginwise.errors import BadSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date

    import pyarrow as pa

    from marginwise.demo.plan import StorePlan

__all__ = ["Generation"]

ROWS_OF_A_PART = 1 << 17
_TIME_ZONE = "UTC"
_WORKERS = 2
_MOST_EVENTS_OF_A_VISIT = 6
_LARGEST_NUMBER = (1 << 32) - 1

T = TypeVar("T")
Tables = dict[str, "pa.Table"]


@dataclass(frozen=True, slots=True, eq=False)
class Generation:
    """A store in the making.

    Small arrays keep to the processor's cache, so a large store is made in parts of whole days, two at a time, in
    bounded memory. A store of default size is one part. Each part has a range of numbers for its ids, so ids grow with
    time and leave gaps between parts.

    Parameters
    ----------
    shop, customers, calendar
        Drawn once for the whole store.
    seed
        Equal seeds give equal stores.
    outcome, rows
        What the parts made so far add up to.
    """

    shop: Shop
    customers: Customers
    calendar: Calendar
    seed: int
    outcome: Outcome
    rows: Counter[str]

    @classmethod
    def of(cls, plan: StorePlan, *, orders: int, seed: int, days: int, last_day: date, store_id: str) -> Self:
        """Draw what belongs to the whole store."""
        streams = Streams(seed)
        shop = Shop.of(plan, streams, orders=orders, days=days, last_day=last_day, store_id=store_id)
        customers = Customers.of(plan, shop.demand, shop.personas, shop.named_days, streams)
        return cls(
            shop=shop,
            customers=customers,
            calendar=Calendar.of(shop.season, shop.demand, customers, shop.personas, streams),
            seed=seed,
            outcome=Outcome.empty(customers.count, len(plan.partners)),
            rows=Counter(),
        )

    def parts(self, *, with_tables: bool = True) -> Iterator[tuple[Tables, int, int]]:
        """Yield the tables of one part after the other, with the number of parts done and to do.

        Parameters
        ----------
        with_tables
            False to draw the orders for the truth alone; the tables are then empty dicts.

        Raises
        ------
        BadSettings
            When the store has more visits than ids.
        """
        work = [*self._day_parts(with_tables)]
        accounts = [*self._account_parts()] if with_tables else []
        total = len(work) + len(accounts)
        for done, (tables, outcome) in enumerate(_in_order(work), start=1):
            self.outcome.add(outcome)
            self.rows.update({name: table.num_rows for name, table in tables.items()})
            yield tables, done, total
        for done, tables in enumerate(_in_order(accounts), start=len(work) + 1):
            self.rows.update({name: table.num_rows for name, table in tables.items()})
            yield tables, done, total

    def truth(self) -> StoreTruth:
        """Return the truth, once all parts are made."""
        shop, plan, season = self.shop, self.shop.plan, self.shop.season
        window = Window.of(plan, int(self.calendar.day[0]), int(self.calendar.day[-1]))
        planned = Planned.of(shop, window)
        untagged = float(shop.demand.untagged_spend.sum()) / 100
        spend = float(shop.demand.spend_in_reporting.sum()) + untagged
        totals = {**self.outcome.totals, "spend_amount": spend, "untagged_spend_amount": untagged}
        inside = slice(window.start, window.end + 1)
        return StoreTruth(
            seed=self.seed,
            orders=shop.demand.orders,
            currency=plan.currency,
            time_zone=_TIME_ZONE,
            horizon_days=plan.horizon_days,
            first_day=season.day(0),
            last_day=season.day(season.count - 1),
            as_of_date=season.day(window.as_of),
            window_start_date=season.day(window.start),
            window_end_date=season.day(window.end),
            units=unit_truths(shop, window, planned, self.customers, self.outcome),
            responses=response_truths(plan, shop.demand, inside, planned.earned),
            personas=persona_truths(shop, window, self.customers, self.calendar, self.outcome),
            dropout=dropout_truth(shop, self.calendar),
            pairs=pair_truths(shop, shop.catalogue.names(plan)),
            weather=shop.weather.truth(plan),
            anomalies=list(shop.named_days.told),
            partners=partner_truths(shop, self.outcome),
            shares=share_truths(shop, planned, self.customers, self.calendar),
            totals={name: round(value, 2) for name, value in totals.items()},
            rows=dict(self.rows),
            settings={
                "store": {"name": "Demo store", "currency": plan.currency, "time_zone": _TIME_ZONE},
                "channels": {"affiliate_commission_in": "spend"},
            },
            planted=_planted(plan),
        )

    def customer_truths(self) -> Iterator[pa.Table]:
        """Yield the truth of every customer, some at a time."""
        starts = range(0, self.customers.count, ROWS_OF_A_PART)
        rows = [slice(start, min(start + ROWS_OF_A_PART, self.customers.count)) for start in starts]
        made = (self.shop, self.customers, self.calendar, self.outcome)
        yield from _in_order([partial(customer_truth, *made, part) for part in rows])

    def _day_parts(self, with_tables: bool) -> Iterator[Callable[[], tuple[Tables, PartOutcome]]]:
        shop, calendar = self.shop, self.calendar
        days = self._days_of_parts()
        bounds = np.searchsorted(calendar.day, [day.start for day in days] + [shop.season.count])
        most = int(np.diff(bounds).max()) + 1
        orders = _round_up(1.2 * most + 1_000)
        sessions = _round_up(1.2 * most * max(3.0, shop.plan.sessions_per_order) + 1_000)
        stride = Counter(orders=orders, refunds=8 * orders, reviews=orders, sessions=sessions)
        stride["events"] = _MOST_EVENTS_OF_A_VISIT * sessions
        if len(days) > 1 and stride["events"] * len(days) > _LARGEST_NUMBER:
            raise BadSettings("A store of this size has more events than ids.", fix="Ask for fewer visits per order.")
        for number, day_range in enumerate(days):
            rows = slice(int(bounds[number]), int(bounds[number + 1]))
            before = {name: number * step for name, step in stride.items()}
            is_last = number == len(days) - 1
            yield lambda number=number, day_range=day_range, rows=rows, before=before, is_last=is_last: self._day_part(  # type: ignore[misc]
                number, day_range, rows, before, with_tables, is_last
            )

    def _day_part(
        self, number: int, day_range: range, rows: slice, before: dict[str, int], with_tables: bool, is_last: bool
    ) -> tuple[Tables, PartOutcome]:
        shop, customers = self.shop, self.customers
        streams = Streams(self.seed, part=number + 1)
        visits = Visits.of(shop.plan, shop.season, shop.demand, customers, shop.personas, self.calendar, rows, streams)
        orders = Orders.of(shop, visits, streams, before["orders"])
        refunds = Refunds.of(shop, orders, streams)
        outcome = PartOutcome.of(shop, customers, orders, refunds)
        if not with_tables:
            return {}, outcome
        tables = {"refunds": refund_table(shop, orders, refunds, before["refunds"])}
        if shop.plan.sessions_per_order > 0:
            traffic = Traffic.of(shop, customers, orders, day_range, streams, before["sessions"])
            tables |= order_tables(shop, orders, before["reviews"], streams, session=traffic.session_of_order)
            tables["sessions"] = session_table(shop, traffic, streams)
            tables["events"] = event_table(shop, orders, traffic, before["events"], streams)
        else:
            touch = declared_touches(shop, customers, orders, streams)
            tables |= order_tables(shop, orders, before["reviews"], streams, touch=touch)
        return (tables | self._whole() if is_last else tables), outcome

    def _account_parts(self) -> Iterator[Callable[[], Tables]]:
        for number, start in enumerate(range(0, self.customers.count, ROWS_OF_A_PART)):
            rows = range(start, min(start + ROWS_OF_A_PART, self.customers.count))
            yield lambda number=number, rows=rows: self._account_part(number, rows)  # type: ignore[misc]

    def _account_part(self, number: int, rows: range) -> Tables:
        shop, first_at = self.shop, self.outcome.first_at
        streams = Streams(self.seed, part=number)
        arguments = shop.plan, shop.season
        tables = {"customers": account_table(*arguments, self.customers, rows, first_at, streams, shop.store_id)}
        if number == 0:
            tables["subscriptions"] = subscription_table(*arguments, first_at, streams, shop.store_id)
        return tables

    def _whole(self) -> Tables:
        shop, streams = self.shop, Streams(self.seed)
        plan, season, store_id = shop.plan, shop.season, shop.store_id
        return {
            **catalogue_tables(plan, season, shop.catalogue, streams, store_id),
            **spend_tables(plan, season, shop.demand, streams, store_id),
            "exchange_rates": exchange_rate_table(plan, season, store_id),
            "weather": shop.weather.table(plan, season, store_id),
        }

    def _days_of_parts(self) -> list[range]:
        count = self.shop.season.count
        rows_a_day = np.bincount(self.calendar.day, minlength=count) * max(2.0, self.shop.plan.sessions_per_order)
        part = (np.cumsum(rows_a_day) // ROWS_OF_A_PART).astype(np.int64)
        starts = np.flatnonzero(np.diff(part, prepend=-1)).tolist()
        return [range(start, stop) for start, stop in zip(starts, [*starts[1:], count], strict=True)]


def _in_order(work: list[Callable[[], T]]) -> Iterator[T]:
    """Yield the results of the calls in their order, while the next ones are at work."""
    if len(work) < _WORKERS:
        for call in work:
            yield call()
        return
    with ThreadPoolExecutor(_WORKERS, thread_name_prefix="demo-parts") as pool:
        waiting: deque[Future[T]] = deque()
        for call in work:
            waiting.append(pool.submit(call))
            if len(waiting) > _WORKERS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


@lru_cache(maxsize=1)
def _planted(plan: StorePlan) -> dict[str, Any]:
    return asdict(plan)


def _round_up(number: float) -> int:
    return (int(number) // 1_000 + 1) * 1_000
