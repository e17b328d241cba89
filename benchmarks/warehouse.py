"""`python -m benchmarks.warehouse`: what landing, checking and building cost, against one hand-written DuckDB script.

Both read the same Parquet of a generated store: order lines, as many visits, about three times as many events. Each stage
is a process of its own, so that CPU time and peak memory are its own; the floor is another.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from marginwise.demo.knobs import Knobs
from marginwise.engine.dbt import project_directory
from marginwise.engine.duckdb import engine_options
from marginwise.ops.projects import create_demo
from marginwise.settings import WarehouseSettings

__all__ = ["Cost", "Store", "compared", "cost_of", "generated", "write_floor"]

LINES_PER_ORDER = 1.955
STAGES = ("land", "check", "build")
_FLOOR = Path(__file__).with_name("floor.sql")
# What is held equal between both: row counts, and sums to the cent.
_COMPARED = {
    "core.dim_customers": "count(*), count(acquisition_channel)",
    "core.dim_products": "count(*), count(distinct product_version_key)",
    "core.dim_channels": "count(*)",
    "core.dim_campaigns": "count(*)",
    "core.fct_orders": "count(*), sum(net_revenue_amount), sum(cm2_amount), sum(order_number)",
    "core.fct_order_lines": "count(*), sum(gross_sales_amount), sum(discount_amount), sum(refund_amount),"
    " sum(goods_cost_amount), sum(payment_fee_amount), sum(commission_amount), sum(cm2_amount)",
    "core.fct_refunds": "count(*), sum(amount), sum(shipping_amount)",
    "core.fct_payments": "count(*), sum(amount), sum(fee_amount)",
    "core.fct_sessions": "count(*), count(customer_id), sum(has_viewed::int), sum(has_purchased::int), sum(is_pending::int)",
    "core.fct_events": "count(*), sum(value_amount)",
    "core.fct_marketing_spend": "count(*), sum(spend_amount)",
    "marts.mart_daily_revenue": "count(*), sum(orders_count), sum(net_revenue_amount), sum(cm3_amount)",
    "marts.mart_margin_bridge": "sum(amount) filter (step_id in ('kept', 'net_revenue', 'cm1', 'cm2', 'cm3'))",
    "marts.mart_channel_cohorts": "count(*), sum(customers_count), sum(cm2_180d_amount), sum(month_spend_amount)",
    "marts.mart_funnel_by_channel": "count(*), sum(sessions_count), sum(purchased_sessions_count)",
    "marts.mart_decision_evidence": "count(*), sum(orders_count), sum(cm2_amount), sum(has_repeated::int)",
    "marts.mart_decision_units": "count(*), sum(customers_count), sum(net_revenue_amount), sum(spend_amount)",
}


@dataclass(frozen=True)
class Cost:
    """What a process took: seconds on the clock, seconds of CPU (its own and the system's), bytes of memory at its peak."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int

    def __add__(self, other: Cost) -> Cost:
        """One after the other: times add up, the higher peak stays."""
        return Cost(
            self.seconds + other.seconds,
            self.cpu_seconds + other.cpu_seconds,
            max(self.peak_bytes, other.peak_bytes),
        )


@dataclass(frozen=True)
class Store:
    """A generated project and the rows that count."""

    directory: Path
    lines: int
    visits: int
    events: int

    @property
    def warehouse(self) -> Path:
        """The file that the stages build."""
        return self.directory / ".marginwise" / "warehouse.duckdb"


def generated(directory: Path, lines: int) -> Store:
    """Generate a store of about ``lines`` order lines without bad rows, as Parquet, with its project around it."""
    orders = max(50, round(lines / LINES_PER_ORDER))
    create_demo(directory, Knobs(orders=orders, visits_per_order=2.0, dirt_rate=0.0, format="parquet"))
    with duckdb.connect() as con:
        rows = [
            con.execute(
                "select count(*) from read_parquet(?)", [str(directory / "data" / f"{table}.parquet")]
            ).fetchall()
            for table in ("order_items", "sessions", "events")
        ]
    return Store(directory, *(int(count[0][0]) for count in rows))


def cost_of(arguments: list[str]) -> Cost:
    """Run this Python with the arguments as a process of its own and return what it took.

    Raises
    ------
    RuntimeError
        When the process fails.
    """
    started = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 - this very Python, with arguments of this module
        [sys.executable, *arguments], stdout=subprocess.DEVNULL, cwd=Path(__file__).parents[1]
    )
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(arguments)} ended with exit code {process.returncode}")
    unit = 1 if sys.platform == "darwin" else 1024
    return Cost(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * unit)


def write_floor(data: Path, target: Path) -> None:
    """Write the floor's tables into a new DuckDB file, in the memory that the warehouse has by default."""
    text = _FLOOR.read_text("utf-8")
    for name, folder in {"data": data, "seeds": project_directory() / "seeds"}.items():
        text = text.replace(f"${name}", "'" + str(folder).replace("'", "''") + "'")
    with duckdb.connect(str(target), config=engine_options(WarehouseSettings())) as con:
        con.execute("set preserve_insertion_order = false")
        con.execute(text)


def compared(warehouse: Path, floor: Path) -> list[tuple[str, bool]]:
    """Return every table that both wrote, and whether its row count and sums are the same."""
    with duckdb.connect() as con:
        con.execute(f"attach '{warehouse}' as warehouse (read_only)")
        con.execute(f"attach '{floor}' as floor (read_only)")
        return [
            (table, con.sql(f"select {sums} from warehouse.{table}").fetchall()
             == con.sql(f"select {sums} from floor.{table}").fetchall())
            for table, sums in _COMPARED.items()
        ]  # fmt: skip


def main() -> None:
    """Read the size, generate, measure, print; the exit code says whether both wrote the same."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.warehouse", description=__doc__)
    parser.add_argument(
        "--lines", type=int, default=1_000_000, help="order lines (default 1 M; the goal speaks of 10 M)"
    )
    parser.add_argument("--directory", type=Path, help="an empty folder to work in and keep (default: a temporary one)")
    parser.add_argument("--floor", type=Path, nargs=2, metavar=("DATA", "TARGET"), help="write the floor only")
    chosen = parser.parse_args()
    if chosen.floor:
        write_floor(*chosen.floor)
        return
    with TemporaryDirectory() as folder:
        same = _measured((chosen.directory or Path(folder)).resolve(), chosen.lines)
    raise SystemExit(not same)


def _measured(directory: Path, lines: int) -> bool:
    store = generated(directory, lines)
    print(f"{store.lines:,} order lines, {store.visits:,} visits, {store.events:,} events", flush=True)
    print(f"{'':<14}{'seconds':>9}{'CPU':>9}{'peak GB':>9}", flush=True)
    costs = {}
    for stage in STAGES:
        costs[stage] = cost_of(["-m", "marginwise", "run", stage, "--project", str(directory)])
        _print_cost(stage, costs[stage])
    costs["check + build"] = costs["check"] + costs["build"]
    _print_cost("check + build", costs["check + build"])
    target = directory / "floor.duckdb"
    floor = cost_of(["-m", "benchmarks.warehouse", "--floor", str(directory / "data"), str(target)])
    _print_cost("floor", floor)
    both = costs["check + build"]
    print(
        f"check + build is {both.seconds / floor.seconds:.2f} times the floor on the clock,"
        f" {both.cpu_seconds / floor.cpu_seconds:.2f} times its CPU"
    )
    found = compared(store.warehouse, target)
    for table, is_equal in found:
        print(f"{'equal' if is_equal else 'DIFFERENT'}: {table}")
    return all(is_equal for _, is_equal in found)


def _print_cost(name: str, cost: Cost) -> None:
    print(f"{name:<14}{cost.seconds:>9.1f}{cost.cpu_seconds:>9.1f}{cost.peak_bytes / 1e9:>9.2f}", flush=True)


if __name__ == "__main__":
    main()
