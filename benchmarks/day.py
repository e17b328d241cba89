"""A generated store whose last day is held back, to be built without it and to take it in.

Held back are the day's orders with all that belongs to them, its visits, events, refunds, customers and spend, and
corrections of orders of the month before.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from marginwise.demo.knobs import LAST_DAY, Knobs
from marginwise.ops.projects import create_demo

__all__ = ["Day"]

_CORRECTED_SHARE = 0.05
_BY_ORDER = "order_id in (select order_id from orders_of_day)"
_NOT_LEFT = "order_id not in (select order_id from orders_left)"
_BY_SESSION = "session_id in (select session_id from sessions_of_day)"
_DAY_OF_ORDER = "(select ordered_at from all_orders where all_orders.order_id = rows.order_id)"
# a customer may have been seen before the record that tells of it
_DAY_OF_CUSTOMER = (
    "least(created_at, (select min(started_at) from all_sessions where all_sessions.customer_id = rows.customer_id))"
)
# of each table: what tells the day of a row, and which of the day's rows come when only a share of its orders does
_TABLES = {
    "orders": ("ordered_at", _BY_ORDER),
    "order_items": (_DAY_OF_ORDER, _BY_ORDER),
    "payments": (_DAY_OF_ORDER, _BY_ORDER),
    "refunds": ("refunded_at", f"{_NOT_LEFT} and is_drawn(refund_id)"),
    "reviews": ("created_at", f"{_NOT_LEFT} and is_drawn(review_id)"),
    "customers": (
        _DAY_OF_CUSTOMER,
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

    def rows(self, table: str) -> int:
        """Return how many rows of a table are there before the day arrives."""
        with duckdb.connect() as con:
            counted = con.execute(
                "select count(*) from read_parquet(?)", [str(self.directory / "data" / f"{table}.parquet")]
            )
            return int(counted.fetchall()[0][0])
