"""`python -m benchmarks.warehouse`: what landing, checking and building cost, against one hand-written DuckDB script.

Both read the same Parquet of a generated store: order lines, as many visits, about three times as many events. What is
measured is a process of its own, so that CPU time and peak memory are its own. Then more days arrive and are taken in one
by one; the median counts. What dbt costs by itself is measured by the same stages on a store of five thousand orders to
which as many days come, in turn: seven orders each and one corrected, few enough to cost nothing, and enough that no table and
no statement is passed over for which the large store's days have rows.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from operator import attrgetter
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TypeVar

import duckdb

from benchmarks.cost import Cost, cost_of
from benchmarks.day import LastDays
from marginwise.engine.dbt import project_directory
from marginwise.engine.duckdb import FILE_FORMAT, engine_options
from marginwise.engine.run_ledger import last_stages
from marginwise.settings import WarehouseSettings

__all__ = ["compared", "write_floor"]

_Done = TypeVar("_Done")
_clock, _cpu = attrgetter("seconds"), attrgetter("cpu_seconds")
_LINES_PER_ORDER = 1.955
_SMALLEST = 5_000
_MORE_DAYS = 5
_COUNTED = {"order lines": "order_items", "visits": "sessions", "events": "events"}
_LAND, _BUILD = ("land",), ("check", "build")
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


def write_floor(data: Path, target: Path) -> None:
    """Write the floor's tables into a new DuckDB file, in the format and the memory that the warehouse has by default."""
    text = _FLOOR.read_text("utf-8")
    for name, folder in {"data": data, "seeds": project_directory() / "seeds"}.items():
        text = text.replace(f"${name}", "'" + str(folder).replace("'", "''") + "'")
    with duckdb.connect(str(target), config={**FILE_FORMAT, **engine_options(WarehouseSettings())}) as con:
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
    store = _apart(LastDays, directory / "store", max(_SMALLEST, round(lines / _LINES_PER_ORDER)), _MORE_DAYS)
    told = {name: f"{store.rows(table):,} {name}" for name, table in _COUNTED.items()}
    print(", ".join(told.values()), flush=True)
    print(f"{'':<22}{'seconds':>9}{'CPU':>9}{'peak GB':>9}", flush=True)
    whole = _taken_in(store.directory)
    target = directory / "floor.duckdb"
    floor = cost_of(["-m", "benchmarks.warehouse", "--floor", str(store.directory / "data"), str(target)])
    _print_cost("floor", floor)
    found = _apart(compared, store.directory / ".marginwise" / "warehouse.duckdb", target)
    target.unlink()
    smallest = LastDays(directory / "smallest", _SMALLEST, _MORE_DAYS)
    _taken_in(smallest.directory, quiet=True)
    days, dbt = [], []
    while store.days:  # in turn, since a machine is not as fast at all times
        days.append(_day_taken_in(store, "day: "))
        dbt.append(_day_taken_in(smallest, "dbt: "))
    told = " and ".join(
        f"{(median(map(of, days)) - median(map(of, dbt))) / (of(whole) - median(map(of, dbt))):.1%} of the {measure}"
        for of, measure in ((_clock, "clock"), (_cpu, "CPU"))
    )
    print(
        f"check + build is {whole.seconds / floor.seconds:.2f} times the floor on the clock,"
        f" {whole.cpu_seconds / floor.cpu_seconds:.2f} times its CPU\n"
        f"beyond dbt's own work, to check and build a day costs {told} of the whole"
    )
    for table, is_equal in found:
        print(f"{'equal' if is_equal else 'DIFFERENT'}: {table}")
    return all(is_equal for _, is_equal in found)


def _apart(work: Callable[..., _Done], *arguments: object) -> _Done:
    """Do work in a process of its own: a measured one begins with the memory of the one that starts it."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()


def _taken_in(project: Path, named: str = "", *, quiet: bool = False) -> Cost:
    """Run the stages on what is there, print what each took, and return what check and build took."""
    costs = {
        " + ".join(stages): cost_of(["-m", "marginwise", "run", *stages, "--project", str(project)])
        for stages in (_LAND, _BUILD)
    }
    for stages, cost in costs.items() if not quiet else ():
        _print_cost(named + stages, cost)
    return costs[" + ".join(_BUILD)]


def _day_taken_in(store: LastDays, named: str) -> Cost:
    """Let the next day arrive and take it in, into what is there: it may not make everything anew."""
    store.arrive()
    cost = _taken_in(store.directory, named)
    with duckdb.connect(str(store.directory / ".marginwise" / "warehouse.duckdb"), read_only=True) as con:
        anew = [record.facts.get("made_anew_because") for record in last_stages(con)]
    if any(anew):
        raise RuntimeError(f"the day made everything anew: {anew}")
    return cost


def _print_cost(name: str, cost: Cost) -> None:
    print(f"{name:<22}{cost.seconds:>9.1f}{cost.cpu_seconds:>9.1f}{cost.peak_bytes / 1e9:>9.2f}", flush=True)


if __name__ == "__main__":
    main()
