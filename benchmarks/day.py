"""A generated store whose last days are held back, to be built without them and to take them in one by one.

Held back are a day's orders with all that belongs to them, its visits, events, refunds, customers and spend, and
corrections of orders of the month before, one at least.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from marginwise.demo.knobs import LAST_DAY, Knobs
from marginwise.ops.projects import create_demo

__all__ = ["LastDays"]

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
        greatest(updated_at, date '{day}') + interval 30 hour as updated_at
    )
    from all_orders
    where ordered_at < date '{day}' and ordered_at >= date '{day}' - 30
    qualify row_number() over (order by hash(order_id, '{day}'))
        <= greatest(1, {share} * (select count(*) from all_orders where cast(ordered_at as date) = date '{day}'))
"""


class LastDays:
    """A generated store whose last days wait beside it.

    Parameters
    ----------
    directory
        Where it is written.
    orders
        Orders of the store.
    days
        How many days wait.
    knobs
        What else is special about it; by default it has no dirt.
    """

    def __init__(self, directory: Path, orders: int, days: int = 1, **knobs: Any) -> None:
        chosen = {"orders": orders, "visits_per_order": 2.0, "dirt_rate": 0.0, "format": "parquet", **knobs}
        create_demo(directory, Knobs(**chosen))
        self.directory = directory
        self.waiting = directory.with_name(f"{directory.name}-waiting")
        self.days = [LAST_DAY - timedelta(days=back) for back in reversed(range(days))]
        data = directory / "data"
        with duckdb.connect() as con:
            con.execute("set enable_progress_bar = false")
            for table in _DAYS:
                con.execute(f"create view all_{table} as from '{data / table}.parquet'")
            for day in self.days:
                self._put_aside(con, day)
            for table in _DAYS:
                part = data / f"{table}.part"
                con.execute(f"copy ({_dated(table)} where day < date '{self.days[0]}') to '{part}' (format parquet)")
        for part in data.glob("*.part"):
            part.replace(part.with_suffix(".parquet"))

    def _put_aside(self, con: duckdb.DuckDBPyConnection, day: date) -> None:
        """Write the files of one day; of the last one, with what the record holds of later ones."""
        folder = self.waiting / str(day)
        folder.mkdir(parents=True)
        of_the_day = ">=" if day == LAST_DAY else "="
        for table in _DAYS:
            come = f"{_dated(table)} where cast(day as date) {of_the_day} date '{day}'"
            if table == "orders":
                come += f" union all {_CORRECTED.format(share=_CORRECTED_SHARE, day=day)}"
            con.execute(f"copy ({come}) to '{folder / f'{table}-{day}'}.parquet' (format parquet)")

    def arrive(self) -> None:
        """Let the files of the next of the waiting days arrive."""
        folder = self.waiting / str(self.days.pop(0))
        for file in folder.iterdir():
            file.replace(self.directory / "data" / file.name)
        folder.rmdir()

    def rows(self, table: str) -> int:
        """Return how many rows of a table are there before a day arrives."""
        with duckdb.connect() as con:
            counted = con.execute(
                "select count(*) from read_parquet(?)", [str(self.directory / "data" / f"{table}.parquet")]
            )
            return int(counted.fetchall()[0][0])


def _dated(table: str) -> str:
    return f"select * exclude day from (select *, {_DAYS[table]} as day from all_{table} as rows)"
