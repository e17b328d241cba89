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
_BY_ORDER = "order_id in (select order_id from orders_of_day)"
_NOT_LEFT = "order_id not in (select order_id from orders_left)"
_BY_SESSION = "session_id in (select session_id from sessions_of_day)"
_DAY_OF_ORDER = "(select ordered_at from all_orders where all_orders.order_id = rows.order_id)"
# of each table: what tells the day of a row, and which of the day's rows come when only a share of its orders does
_TABLES = {
    "orders": ("ordered_at", _BY_ORDER),
    "order_items": (_DAY_OF_ORDER, _BY_ORDER),
    "payments": (_DAY_OF_ORDER, _BY_ORDER),
    "refunds": ("refunded_at", f"{_NOT_LEFT} and is_drawn(refund_id)"),
    "reviews": ("created_at", f"{_NOT_LEFT} and is_drawn(review_id)"),
    "customers": (
        "created_at",
        "customer_id in (select customer_id from orders_of_day) or is_drawn(customer_id)",
    ),
    "sessions": ("started_at", _BY_SESSION),
    "events": ("occurred_at", _BY_SESSION),
    "marketing_spend": ("spend_date", "true"),
    "weather": ("date", "true"),
    "inventory": ("as_of_date", "true"),
}
_SETUP = """
create macro last_day() as date '{last_day}';
create macro is_drawn(id) as hash(id) % 1000 < 1000 * {share};
create table orders_of_day as from all_orders where ordered_at >= last_day() and is_drawn(order_id);
create table orders_left as from all_orders where ordered_at >= last_day() and not is_drawn(order_id);
create table sessions_of_day as
    select session_id from all_sessions
    where started_at >= last_day()
    and session_id not in (select session_id from orders_left where session_id is not null)
    and (session_id in (select session_id from orders_of_day) or is_drawn(session_id));
create table orders_corrected as
    select * replace (
        shipping_cost_amount + 1 as shipping_cost_amount, last_day() + interval 30 hour as updated_at
    )
    from all_orders
    where ordered_at < last_day() and ordered_at >= last_day() - 30
    qualify row_number() over (order by hash(order_id)) <= {corrected} * (select count(*) from orders_of_day);
"""


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
        data = directory / "data"
        with duckdb.connect() as con:
            for table in _TABLES:
                con.execute(f"create view all_{table} as from '{data / table}.parquet'")
            con.execute(_SETUP.format(last_day=LAST_DAY, share=share, corrected=_CORRECTED_SHARE))
            for table, (day, of_day) in _TABLES.items():
                dated = f"(select *, {day} as day from all_{table} as rows)"
                come = f"select * exclude day from {dated} where day >= last_day() and ({of_day})"
                if table == "orders":
                    come += " union all from orders_corrected"
                stay = f"select * exclude day from {dated} where day < last_day()"
                for query, path in (
                    (come, self.waiting / f"{table}-{LAST_DAY}.parquet"),
                    (stay, data / f"{table}.part"),
                ):
                    con.execute(f"copy ({query}) to '{path}' (format parquet)")
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
