"""A whole demo store: one table per contract table, and the truth that was planted in it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import date
from typing import TYPE_CHECKING, Literal

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from marginwise.contract.loader import contracts
from marginwise.demo.catalogue import Catalogue, catalogue_tables
from marginwise.demo.chance import Streams
from marginwise.demo.customers import Customers, Visits, customer_tables
from marginwise.demo.demand import Demand, spend_tables
from marginwise.demo.dirt import BadRows, bad_rows
from marginwise.demo.expectation import Expectation
from marginwise.demo.orders import Orders, order_tables
from marginwise.demo.plan import StorePlan
from marginwise.demo.refunds import Refunds, refund_table
from marginwise.demo.season import Season, exchange_rate_table, weather_table
from marginwise.demo.traffic import Traffic, event_table, session_table
from marginwise.demo.truth import Outcome, StoreTruth, Window, store_totals, unit_truths
from marginwise.errors import BadSettings

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["TRUTH_FILE", "generate_store", "generate_tables"]

TRUTH_FILE = "truth.json"
LAST_DAY = date(2025, 12, 31)
_FEWEST_DAYS = 200
_FEWEST_ORDERS = 50
_NAMES_TO_QUOTE = ("products", "customers")

Format = Literal["csv", "parquet"]


def generate_tables(
    *,
    orders: int = 6000,
    seed: int = 7,
    days: int = 730,
    last_day: date = LAST_DAY,
    plan: StorePlan | None = None,
    store_id: str = "main",
) -> tuple[dict[str, pa.Table], StoreTruth]:
    """Return a clean store in memory: every contract table, in contract order and types, and the planted truth.

    Parameters
    ----------
    orders
        Expected number of orders, guests included and test and void orders left out; the number drawn varies around it.
    seed
        Equal seeds and sizes give equal stores.
    days, last_day
        The store opens ``days`` days before the day after ``last_day``; at least 200 days.
    plan
        What is planted; the default store when None.
    store_id
        Written to every row.

    Raises
    ------
    BadSettings
        When the store would be too small or too short to decide anything.

    Examples
    --------
    >>> tables, truth = generate_tables(orders=300)
    >>> len(tables), truth.unit("channel", "Influencer").verdict
    (18, 'insufficient')
    """
    if orders < _FEWEST_ORDERS or days < _FEWEST_DAYS:
        raise BadSettings(
            f"A demo store of {orders} orders in {days} days has nothing to decide.",
            accepted=f"at least {_FEWEST_ORDERS} orders and {_FEWEST_DAYS} days",
        )
    plan = plan or StorePlan()
    streams = Streams(seed)
    season = Season.of(plan, streams, last_day, days)
    catalogue = Catalogue.of(plan, season, streams)
    demand = Demand.of(plan, season, streams, orders)
    customers = Customers.of(plan, demand, streams)
    visits = Visits.of(plan, season, demand, customers, streams)
    placed = Orders.of(plan, season, catalogue, visits, streams)
    refunds = Refunds.of(plan, season, catalogue, placed, streams)
    traffic = Traffic.of(plan, season, demand, customers, placed, streams)
    first_at = visits.at[(visits.number == 1) & (visits.customer >= 0)].copy()
    first_at[visits.customer[(visits.number == 1) & (visits.customer >= 0)]] = first_at.copy()
    made = {
        **order_tables(plan, season, placed, traffic.session_of_order, streams, store_id),
        **customer_tables(plan, season, customers, first_at, streams, store_id),
        **catalogue_tables(plan, season, catalogue, streams, store_id),
        **spend_tables(plan, season, demand, streams, store_id),
        "refunds": refund_table(plan, placed, refunds, store_id),
        "sessions": session_table(plan, traffic, streams, store_id),
        "events": event_table(plan, catalogue, placed, traffic, streams, store_id),
        "exchange_rates": exchange_rate_table(plan, season, store_id),
        "weather": weather_table(plan, season, streams, store_id),
    }
    tables = {name: made[name] for name in contracts()}
    window = Window.of(plan, int(placed.visits.day.max()))
    truth = StoreTruth(
        seed=seed,
        orders=orders,
        currency=plan.currency,
        time_zone="UTC",
        horizon_days=plan.horizon_days,
        first_day=season.day(0),
        last_day=last_day,
        as_of_date=season.day(window.as_of),
        window_start_date=season.day(window.start),
        window_end_date=season.day(window.end),
        units=unit_truths(
            plan,
            window,
            demand,
            Expectation.of(plan, season, catalogue, demand),
            customers,
            Outcome.of(plan, customers, placed, refunds),
        ),
        totals=store_totals(placed, refunds, demand),
        rows={name: table.num_rows for name, table in tables.items()},
        dirt=(),
        settings={
            "store": {
                "name": "Demo store",
                "currency": plan.currency,
                "time_zone": "UTC",
                "business_model": "retailer",
            },
            "channels": {"affiliate_commission_in": "spend"},
        },
        planted=asdict(plan),
    )
    return tables, truth


def generate_store(
    directory: Path,
    *,
    orders: int = 6000,
    seed: int = 7,
    days: int = 730,
    last_day: date = LAST_DAY,
    format: Format = "csv",
    plan: StorePlan | None = None,
    sessions_per_order: float | None = None,
    dirt_rate: float | None = None,
    store_id: str = "main",
) -> StoreTruth:
    """Write a store to ``directory``: one file per contract table with a few bad rows, and ``truth.json``.

    Parameters
    ----------
    directory
        Made when absent. Files of an earlier demo store in the same format are replaced.
    orders, seed, days, last_day, plan, store_id
        As for :func:`generate_tables`.
    format
        "csv" or "parquet".
    sessions_per_order
        Visits per order, orders' own visits included; from the plan when None.
    dirt_rate
        Bad rows as a share of all rows, from the plan when None; 0 for a clean store.

    Returns
    -------
    StoreTruth
        What was planted, with the rows of each file, bad ones included.

    Raises
    ------
    BadSettings
        When the format is unknown, or the folder holds tables in the other format, which would count twice.
    """
    if format not in ("csv", "parquet"):
        raise BadSettings(f"A demo store cannot be written as {format!r}.", accepted=("csv", "parquet"))
    other = "csv" if format == "parquet" else "parquet"
    left = [f"{name}.{other}" for name in contracts() if (directory / f"{name}.{other}").exists()]
    if left:
        raise BadSettings(
            f"{directory} already holds {', '.join(left[:3])}; both formats together would count every row twice.",
            fix="Choose an empty folder, or remove these files.",
        )
    plan = plan or StorePlan()
    plan = replace(
        plan,
        sessions_per_order=plan.sessions_per_order if sessions_per_order is None else sessions_per_order,
        dirt_rate=plan.dirt_rate if dirt_rate is None else dirt_rate,
    )
    tables, truth = generate_tables(
        orders=orders, seed=seed, days=days, last_day=last_day, plan=plan, store_id=store_id
    )
    bad, dirt = bad_rows(tables, plan.dirt_rate, is_text=format == "csv")
    directory.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda name: _write(directory / f"{name}.{format}", tables[name], bad.get(name)), tables))
    rows = {name: count + (len(bad[name].rows) if name in bad else 0) for name, count in truth.rows.items()}
    truth = replace(truth, rows=rows, dirt=dirt)
    truth.write(directory / TRUTH_FILE)
    return truth


def _write(path: Path, table: pa.Table, bad: BadRows | None) -> None:
    if path.suffix == ".csv":
        quoting = "needed" if path.stem in _NAMES_TO_QUOTE else "none"
        pyarrow.csv.write_csv(table, path, pyarrow.csv.WriteOptions(quoting_style=quoting))
        if bad:
            bad.append_to_csv(path)
        return
    table = bad.appended_to(table) if bad else table
    repeated = [f.name for f in table.schema if pa.types.is_string(f.type) and not f.name.endswith("_id")]
    pyarrow.parquet.write_table(table, path, use_dictionary=repeated, compression="zstd", compression_level=1)
