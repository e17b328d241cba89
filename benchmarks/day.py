"""`python -m benchmarks.day`: what taking in one more day costs, against the full build and against dbt's own work.

The last day of a generated store is held back: its orders with all that belongs to them, its visits, events, refunds,
customers and spend, and corrections of orders of the month before. The rest is built whole; then the day arrives and is
taken in. What dbt costs by itself is measured by the same stages on a store of fifty orders to which a day comes.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from benchmarks.warehouse import LINES_PER_ORDER, Cost, cost_of
from marginwise.demo.knobs import LAST_DAY, Knobs
from marginwise.ops.projects import create_demo

__all__ = ["Day", "measured"]

_CORRECTED_SHARE = 0.05
_STAYS = "day_of_row < $last_day"
_COMES = "day_of_row >= $last_day"
_BY_ORDER = "order_id in (select order_id from day_orders)"
_SAMPLED = "hash({key}) % 1000 < 1000 * $share"
# of each table: what tells the day of a row, and which of the day's rows come when only a share of its orders does
_TABLES = {
    "orders": ("ordered_at", _BY_ORDER),
    "order_items": ("(select ordered_at from all_orders where all_orders.order_id = rows.order_id)", _BY_ORDER),
    "payments": ("(select ordered_at from all_orders where all_orders.order_id = rows.order_id)", _BY_ORDER),
    "refunds": ("refunded_at", f"order_id not in (select order_id from orders_left) and {_SAMPLED.format(key='refund_id')}"),
    "reviews": ("created_at", f"order_id not in (select order_id from orders_left) and {_SAMPLED.format(key='review_id')}"),
    "customers": ("created_at", f"customer_id in (select customer_id from day_orders) or {_SAMPLED.format(key='customer_id')}"),
    "sessions": ("started_at", "session_id in (select session_id from day_sessions)"),
    "events": ("occurred_at", "session_id in (select session_id from day_sessions)"),
    "marketing_spend": ("spend_date", "true"),
    "weather": ("date", "true"),
    "inventory": ("as_of_date", "true"),
}  # fmt: skip


class Day:
    """A generated store whose last day waits beside it.

    Parameters
    ----------
    directory
        Where it is written.
    orders
        Orders of the store.
    share
        Share of the day's orders, visits, refunds and customers that come; the others never do.
    """

    def __init__(self, directory: Path, orders: int, share: float = 1.0) -> None:
        create_demo(directory, Knobs(orders=orders, visits_per_order=2.0, dirt_rate=0.0, format="parquet"))
        self.directory = directory
        self.waiting = directory.with_name(f"{directory.name}-waiting")
        self.waiting.mkdir()
        data, told = directory / "data", {"last_day": LAST_DAY, "share": share}
        with duckdb.connect() as con:
            for table in _TABLES:
                con.execute(f"create view all_{table} as select * from '{data / table}.parquet'")
            sampled = _SAMPLED.format(key="order_id")
            for name, chosen in {"day_orders": sampled, "orders_left": f"not {sampled}"}.items():
                con.execute(f"create table {name} as from all_orders where ordered_at >= $last_day and {chosen}", told)
            con.execute(
                "create table day_sessions as select session_id from all_sessions where started_at >= $last_day"
                " and session_id not in (select session_id from orders_left where session_id is not null)"
                f" and (session_id in (select session_id from day_orders) or {_SAMPLED.format(key='session_id')})",
                told,
            )
            for table, (day, of_day) in _TABLES.items():
                rows = f"(select rows.*, {day} as day_of_row from all_{table} as rows)"
                corrected = ""
                if table == "orders":
                    corrected = (
                        " union all by name select * replace (shipping_cost_amount + 1 as shipping_cost_amount,"
                        " $last_day + interval 30 hour as updated_at) from (from all_orders where ordered_at < $last_day"
                        f" and ordered_at >= $last_day - 30 and hash(order_id) % 1000 < {1000 * _CORRECTED_SHARE / 30} * $share)"
                    )
                for condition, more, path in (
                    (f"{_COMES} and ({of_day})", corrected, self.waiting / f"{table}-{LAST_DAY}.parquet"),
                    (_STAYS, "", data / f"{table}.part"),
                ):
                    query = f"select * exclude day_of_row from {rows} where {condition}{more}"
                    con.execute(
                        f"copy ({query}) to '{path}' (format parquet)",
                        {k: v for k, v in told.items() if f"${k}" in query},
                    )
        for part in data.glob("*.part"):
            part.replace(part.with_suffix(".parquet"))

    def arrive(self) -> None:
        """Let the waiting day's files arrive."""
        for file in self.waiting.iterdir():
            file.replace(self.directory / "data" / file.name)

    def run(self) -> Cost:
        """Land what is there, then check and build it; return what check and build took."""
        cost_of(["-m", "marginwise", "run", "land", "--project", str(self.directory)])
        return cost_of(["-m", "marginwise", "run", "check", "build", "--project", str(self.directory)])


def measured(directory: Path, orders: int, share: float = 1.0) -> tuple[Cost, Cost]:
    """Return what a whole build of a store costs, and what one more day of it does."""
    store = Day(directory, orders, share)
    whole = store.run()
    store.arrive()
    return whole, store.run()


def main() -> None:
    """Read the size, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.day", description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000, help="order lines (default 1 M)")
    parser.add_argument("--share", type=float, default=1.0, help="share of the day's rows that come (default 1)")
    chosen = parser.parse_args()
    with TemporaryDirectory() as folder:
        _, empty = measured(Path(folder) / "empty", 50)
        whole, day = measured(Path(folder) / "store", round(chosen.lines / LINES_PER_ORDER), chosen.share)
    print(f"{'':<28}{'seconds':>9}{'CPU':>9}{'peak GB':>9}")
    for name, cost in {"whole build": whole, "one more day": day, "a day of fifty orders": empty}.items():
        print(f"{name:<28}{cost.seconds:>9.1f}{cost.cpu_seconds:>9.1f}{cost.peak_bytes / 1e9:>9.2f}")
    share = (day.cpu_seconds - empty.cpu_seconds) / (whole.cpu_seconds - empty.cpu_seconds)
    print(f"beyond dbt's own work the day costs {share:.1%} of the CPU of the whole build")


if __name__ == "__main__":
    main()
