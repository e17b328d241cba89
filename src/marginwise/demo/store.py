"""A whole demo store: one table or file per contract table, and the truth that was planted in it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from marginwise.contract.loader import contracts
from marginwise.demo.chance import Streams
from marginwise.demo.dirt import bad_rows
from marginwise.demo.drops import DROPS_FOLDER, Drops
from marginwise.demo.generation import Generation
from marginwise.demo.knobs import LAST_DAY
from marginwise.demo.plan import StorePlan
from marginwise.demo.table_files import Format, TableFiles
from marginwise.errors import BadSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date
    from pathlib import Path

    from marginwise.demo.truth import StoreTruth

__all__ = ["CUSTOMER_TRUTH", "TRUTH_FILE", "generate_store", "generate_tables", "generate_truth"]

TRUTH_FILE = "truth.json"
CUSTOMER_TRUTH = "truth_customers"
_FEWEST_DAYS = 200
_FEWEST_ORDERS = 50
_ROWS_TO_COPY = 200_000


def generate_tables(
    *,
    orders: int = 6000,
    seed: int = 7,
    days: int = 730,
    last_day: date = LAST_DAY,
    plan: StorePlan | None = None,
    store_id: str = "main",
) -> tuple[dict[str, pa.Table], StoreTruth]:
    """Return a clean store in memory: its contract tables, in contract order and types, and the planted truth.

    A plan without visits has no sessions and no events; its orders state channel and campaign.

    Parameters
    ----------
    orders
        Expected number of orders without test and void ones; the number drawn varies around it.
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
    generation = _generation(plan or StorePlan(), orders, seed, days, last_day, store_id)
    parts = [tables for tables, _, _ in generation.parts()]
    found = {name: [part[name] for part in parts if name in part] for name in contracts()}
    tables = {name: pa.concat_tables(of_parts) for name, of_parts in found.items() if of_parts}
    return tables, generation.truth()


def generate_truth(
    *,
    orders: int = 6000,
    seed: int = 7,
    days: int = 730,
    last_day: date = LAST_DAY,
    plan: StorePlan | None = None,
) -> tuple[StoreTruth, pa.Table]:
    """Return the truth of the store that :func:`generate_tables` gives, without its tables: for many simulations.

    Parameters
    ----------
    orders, seed, days, last_day, plan
        As for :func:`generate_tables`.

    Returns
    -------
    StoreTruth, pyarrow.Table
        The truth, and one row a customer: the evidence that a correct warehouse would find (see `customer_truth`).

    Examples
    --------
    >>> truth, customers = generate_truth(orders=300)
    >>> customers.num_rows > 100, truth.rows
    (True, {})
    """
    generation = _generation(plan or StorePlan(), orders, seed, days, last_day, "main")
    for _ in generation.parts(with_tables=False):
        pass
    return generation.truth(), pa.concat_tables(generation.customer_truths())


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
    drops: int = 0,
    store_id: str = "main",
    progress: Callable[[str, int, int], None] | None = None,
) -> StoreTruth:
    """Write a store to ``directory``: one file per contract table with a few bad rows, and the truth.

    Parameters
    ----------
    directory
        Made when absent. Files of an earlier demo store in the same format are replaced.
    orders, seed, days, last_day, plan, store_id
        As for :func:`generate_tables`.
    format
        "csv" or "parquet".
    sessions_per_order
        Visits per order, orders' own visits included; from the plan when None. 0 for no sessions and events at all:
        orders then state their channel and campaign.
    dirt_rate
        Bad rows as a share of all rows, from the plan when None; 0 for a clean store.
    drops
        Number of daily drops with late and corrected rows, written to ``drops/<date>/``; the first files lack the late
        rows and have the wrong values.
    progress
        Called with (what, done, total) as parts are written.

    Returns
    -------
    StoreTruth
        What was planted, with the rows of each file, bad ones included. It lies in ``truth.json``, and the truth of
        each customer in ``truth_customers`` beside it.

    Raises
    ------
    BadSettings
        When the format is unknown, or the folder holds tables in the other format, which would count twice.
    """
    _clear_folder(directory, format)
    plan = plan or StorePlan()
    plan = replace(
        plan,
        sessions_per_order=plan.sessions_per_order if sessions_per_order is None else sessions_per_order,
        dirt_rate=plan.dirt_rate if dirt_rate is None else dirt_rate,
    )
    generation = _generation(plan, orders, seed, days, last_day, store_id)
    later = Drops(generation.shop.season, drops, plan.late_rate, plan.corrected_rate)
    sample: dict[str, pa.Table] = {}
    rows = dict.fromkeys(contracts(), 0)
    with TableFiles(directory, format) as files:
        for number, (part, done, total) in enumerate(generation.parts()):
            first, sure = later.hold_back(part, Streams(seed, part=number + 1)) if drops else (part, part)
            files.write(first)
            sample = {name: table.slice(0, _ROWS_TO_COPY) for name, table in sure.items()} | sample
            for name, table in first.items():
                rows[name] += table.num_rows
            if progress is not None:
                progress("orders and visits" if "orders" in part else "customers", done, total)
        bad, dirt = bad_rows(sample, rows, plan.dirt_rate, is_text=format == "csv")
        files.add_bad_rows(bad)
    rows = {name: count + (len(bad[name].rows) if name in bad else 0) for name, count in rows.items()}
    truth = replace(generation.truth(), rows=rows, dirt=dirt, drops=later.write(directory, format) if drops else ())
    with TableFiles(directory, format) as files:
        for table in generation.customer_truths():
            files.write({CUSTOMER_TRUTH: table})
        files.wait()
    truth.write(directory / TRUTH_FILE)
    return truth


def _clear_folder(directory: Path, format: Format) -> None:
    if format not in ("csv", "parquet"):
        raise BadSettings(f"A demo store cannot be written as {format!r}.", accepted=("csv", "parquet"))
    other = "csv" if format == "parquet" else "parquet"
    left = [f"{name}.{other}" for name in contracts() if (directory / f"{name}.{other}").exists()]
    if left:
        raise BadSettings(
            f"{directory} already holds {', '.join(left[:3])}; both formats together would count every row twice.",
            fix="Choose an empty folder, or remove these files.",
        )
    landed = sorted(path.name for path in directory.glob(f"*-[0-9]*.{format}"))
    if landed:
        raise BadSettings(
            f"{directory} already holds {', '.join(landed[:3])}; a drop that has landed belongs to another store.",
            fix="Choose an empty folder, or remove these files.",
        )
    for name in (*contracts(), CUSTOMER_TRUTH):
        (directory / f"{name}.{format}").unlink(missing_ok=True)
    if (directory / DROPS_FOLDER).exists():
        shutil.rmtree(directory / DROPS_FOLDER)


def _generation(plan: StorePlan, orders: int, seed: int, days: int, last_day: date, store_id: str) -> Generation:
    if orders < _FEWEST_ORDERS or days < _FEWEST_DAYS:
        raise BadSettings(
            f"A demo store of {orders} orders in {days} days has nothing to decide.",
            accepted=f"at least {_FEWEST_ORDERS} orders and {_FEWEST_DAYS} days",
        )
    return Generation.of(plan, orders=orders, seed=seed, days=days, last_day=last_day, store_id=store_id)
