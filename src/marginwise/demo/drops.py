"""Files of later days: rows that come late, and corrections of rows that were wrong at first."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from marginwise.demo.arrow_columns import money
from marginwise.demo.table_files import TableFiles
from marginwise.demo.truth import Drop

if TYPE_CHECKING:
    from pathlib import Path

    from marginwise.demo.arrow_columns import Array
    from marginwise.demo.chance import Streams
    from marginwise.demo.season import Season
    from marginwise.demo.table_files import Format

__all__ = ["DROPS_FOLDER", "Drops"]

DROPS_FOLDER = "drops"
_LATE_DAYS = 30
_CORRECTED_DAYS = 150
_RESTATED_DAYS = 14
_DAY = 86_400
_OF_AN_ORDER = ("order_items", "payments", "refunds", "reviews")


class Drops:
    """Takes rows out of a store's tables and brings them, or their correction, on later days.

    Late are orders of the last days with everything that belongs to them, and a few dated costs. Corrected are orders
    (shipping cost), order lines (unit price) and the spend of the last days; a corrected row has a later ``updated_at``.
    When all drops have landed, the store is what it would have been without them.

    Parameters
    ----------
    season
        The store's days; the first drop comes on the day after the last one.
    count
        Number of daily drops.
    late_rate, corrected_rate
        Share of the rows of the days in question that come late, or are wrong at first.
    """

    def __init__(self, season: Season, count: int, late_rate: float, corrected_rate: float) -> None:
        self._season = season
        self._count = count
        self._late_rate = late_rate
        self._corrected_rate = corrected_rate
        self._rows: dict[tuple[int, str], list[tuple[str, pa.Table]]] = defaultdict(list)

    def hold_back(
        self, tables: dict[str, pa.Table], streams: Streams
    ) -> tuple[dict[str, pa.Table], dict[str, pa.Table]]:
        """Return the tables as the first files have them, and of these the rows that no drop will touch."""
        rng = streams.of("drops")
        first, sure = dict(tables), dict(tables)
        if "orders" in tables:
            age = self._age(tables["orders"]["ordered_at"])
            late = (age >= 1) & (age <= _LATE_DAYS) & (rng.random(len(age)) < self._late_rate)
            drop_of_order = np.where(late, rng.integers(0, self._count, len(age)), -1)
            ids = tables["orders"]["order_id"].combine_chunks()
            for name in ("orders", *_OF_AN_ORDER):
                order_of_row = pc.index_in(tables[name]["order_id"], ids.filter(pa.array(late)))
                place = np.asarray(order_of_row.fill_null(-1).combine_chunks())
                drop = np.append(drop_of_order[late], -1)[place]
                first[name] = sure[name] = self._put_late(name, tables[name], drop)
        for name, column, days_old in (
            ("orders", "shipping_cost_amount", _CORRECTED_DAYS),
            ("order_items", "unit_price", None),
            ("marketing_spend", "spend_amount", _RESTATED_DAYS),
        ):
            if name in first:
                first[name], sure[name] = self._put_wrong(name, column, days_old, first[name], rng)
        if "product_costs" in tables:
            age = self._age(tables["product_costs"]["valid_from"])
            late = (age <= _CORRECTED_DAYS) & (rng.random(len(age)) < 5 * self._late_rate)
            drop = np.where(late, rng.integers(0, self._count, len(age)), -1)
            first["product_costs"] = sure["product_costs"] = self._put_late(
                "product_costs", tables["product_costs"], drop
            )
        return first, sure

    def write(self, directory: Path, format: Format) -> tuple[Drop, ...]:
        """Write ``drops/<date>/<table>-<date>`` files below ``directory`` and return what is in them."""
        told = []
        for number in range(self._count):
            date = (self._season.day(self._season.count) + timedelta(days=number)).isoformat()
            found = {name: rows for (day, name), rows in self._rows.items() if day == number}
            with TableFiles(directory / DROPS_FOLDER / date, format, suffix=f"-{date}") as files:
                files.write({name: pa.concat_tables([table for _, table in rows]) for name, rows in found.items()})
                files.wait()
            for name, rows in found.items():
                late, corrected = (
                    sum(t.num_rows for kind, t in rows if kind == which) for which in ("late", "corrected")
                )
                told.append(Drop(date=date, table=name, late_rows=late, corrected_rows=corrected))
        return tuple(told)

    def _age(self, moments: pa.ChunkedArray) -> Array:
        """Return the days from each moment, or date, to the store's last day."""
        value = moments.combine_chunks()
        day = np.asarray(value.cast(pa.timestamp("s")).cast(pa.int64())) // _DAY
        age: Array = self._season.first_day + self._season.count - 1 - day
        return age

    def _put_late(self, name: str, table: pa.Table, drop: Array) -> pa.Table:
        for number in np.unique(drop[drop >= 0]).tolist():
            self._rows[number, name].append(("late", table.filter(pa.array(drop == number))))
        return table.filter(pa.array(drop < 0)) if (drop >= 0).any() else table

    def _put_wrong(
        self, name: str, column: str, days_old: int | None, table: pa.Table, rng: np.random.Generator
    ) -> tuple[pa.Table, pa.Table]:
        """Return the table with wrong values, and its rows that are right from the start."""
        count = table.num_rows
        chosen = rng.random(count) < self._corrected_rate
        if days_old is not None:
            age = self._age(table["ordered_at" if name == "orders" else "spend_date"])
            chosen &= (age >= 0) & (age <= days_old)
        number = np.where(chosen, rng.integers(0, self._count, count), -1)
        if not chosen.any():
            return table, table
        for drop in np.unique(number[chosen]).tolist():
            rows = table.filter(pa.array(number == drop))
            seen_at = (self._season.first_day + self._season.count + drop) * _DAY + 2 * 3_600
            updated = pa.array(np.full(rows.num_rows, seen_at)).view(pa.timestamp("s"))
            rows = rows.set_column(rows.column_names.index("updated_at"), "updated_at", updated)
            self._rows[drop, name].append(("corrected", rows))
        cents = np.asarray(pc.multiply(table[column].cast(pa.float64()), 100.0))
        wrong = money(np.where(chosen, np.round(cents * 0.9), np.round(cents)).astype(np.int64))
        return table.set_column(table.column_names.index(column), column, wrong), table.filter(pa.array(~chosen))
