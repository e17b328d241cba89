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

_DAY_OF_ORDER = "(select ordered_at from all_orders where all_orders.order_id = rows.order_id)"
# what tells the day of a row; a customer may have been seen before the record that tells of it
_DAYS = {
    "orders": "ordered_at",
    "order_items": _DAY_OF_ORDER,
    "payments": _DAY_OF_ORDER,
    "refunds": "refunded_at",
    "reviews": "created_at",
    "customers": "least(created_at, (select min(started_at) from all_sessions"
    " where all_sessions.customer_id = rows.customer_id))",
    "sessions": "started_at",
    "events": "occurred_at",
    "marketing_spend": "spend_date",
    "weather": "date",
    "inventory": "as_of_date",
}
_CORRECTED_SHARE = 0.05
_CORRECTED = """
    select * replace (
        cast(shipping_cost_amount + 1 as decimal(18, 2)) as shipping_cost_amount,
        last_day() + interval 30 hour as updated_at
    )
    from all_orders
    where ordered_at < last_day() and ordered_at >= last_day() - 30
    qualify row_number() over (order by hash(order_id))
        <= {share} * (select count(*) from all_orders where ordered_at >= last_day())
"""


class Day:
    """A generated store whose last day waits beside it.

    Parameters
    ----------
    directory
        Where it is written.
    orders
        Orders of the store.
    """

    def __init__(self, directory: Path, orders: int) -> None:
        create_demo(directory, Knobs(orders=orders, visits_per_order=2.0, dirt_rate=0.0, format="parquet"))
        self.directory = directory
        self.waiting = directory.with_name(f"{directory.name}-waiting")
        self.waiting.mkdir()
        data = directory / "data"
        with duckdb.connect() as con:
            con.execute(f"create macro last_day() as date '{LAST_DAY}'")
            for table in _DAYS:
                con.execute(f"create view all_{table} as from '{data / table}.parquet'")
            for table, day in _DAYS.items():
                dated = f"select * exclude day from (select *, {day} as day from all_{table} as rows)"
                come = f"{dated} where day >= last_day()"
                if table == "orders":
                    come += f" union all {_CORRECTED.format(share=_CORRECTED_SHARE)}"
                for query, path in (
                    (come, self.waiting / f"{table}-{LAST_DAY}.parquet"),
                    (f"{dated} where day < last_day()", data / f"{table}.part"),
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
