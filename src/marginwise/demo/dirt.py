"""Bad rows, planted by count, that the checks must find without touching a good number."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from marginwise.demo.truth import Dirt

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["BadRows", "bad_rows"]

_MOST_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of bad row: a copy of a good one with ``changes``; ``{i}`` is the row's number."""

    table: str
    kind: str
    rule: str
    column: str
    changes: tuple[tuple[str, Any], ...]
    is_text_only: bool = False


_NOBODY = ("customer_id", None)
_KINDS = (
    _Kind(
        "orders",
        "bad date",
        "type",
        "ordered_at",
        (("order_id", "x-date-{i}"), ("ordered_at", "2025-02-30 10:00:00"), _NOBODY),
        True,
    ),
    _Kind(
        "orders",
        "impossible date",
        "impossible_date",
        "ordered_at",
        (
            ("order_id", "x-1971-{i}"),
            ("ordered_at", "1971-01-01 00:00:00"),
            ("currency", "EUR"),
            ("updated_at", None),
            _NOBODY,
        ),
    ),
    _Kind(
        "orders", "unknown status", "allowed", "status", (("order_id", "x-status-{i}"), ("status", "shiped"), _NOBODY)
    ),
    _Kind(
        "orders",
        "currency that is none",
        "currency",
        "currency",
        (("order_id", "x-currency-{i}"), ("currency", "Euro"), _NOBODY),
    ),
    _Kind(
        "order_items",
        "negative quantity",
        "negative_quantity",
        "quantity",
        (("line_number", "{90000+i}"), ("quantity", "-1")),
    ),
    _Kind("order_items", "orphan line", "relationship", "order_id", (("order_id", "x-orphan-{i}"),)),
    _Kind("order_items", "duplicate key", "key", "order_id", ()),
    _Kind("refunds", "amount that is none", "type", "amount", (("refund_id", "x-amount-{i}"), ("amount", "n/a")), True),
    _Kind(
        "refunds",
        "orphan refund",
        "relationship",
        "order_id",
        (("refund_id", "x-orphan-{i}"), ("order_id", "x-orphan-{i}")),
    ),
    _Kind("payments", "duplicate key", "key", "order_id", ()),
    _Kind(
        "customers",
        "no date of creation",
        "required",
        "created_at",
        (("customer_id", "x-customer-{i}"), ("created_at", None)),
    ),
    _Kind("marketing_spend", "bad date", "type", "spend_date", (("spend_date", "31.31.2025"),), True),
    _Kind(
        "sessions",
        "no start",
        "required",
        "started_at",
        (("session_id", "x-session-{i}"), ("started_at", None), _NOBODY),
    ),
)


@dataclass(frozen=True, slots=True)
class BadRows:
    """Bad rows of one table as text by column, None for an empty field."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]

    def append_to_csv(self, path: Path) -> None:
        """Add the rows to the end of a CSV file."""
        with path.open("a", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([value or "" for value in row] for row in self.rows)

    def as_table(self, schema: pa.Schema) -> pa.Table:
        """Return the rows in the types of ``schema``."""
        values = dict(zip(self.columns, zip(*self.rows, strict=True), strict=True))
        columns = [pa.array(values[column.name], pa.string()) for column in schema]
        return pa.Table.from_arrays([c.cast(f.type) for c, f in zip(columns, schema, strict=True)], schema=schema)


def bad_rows(
    sample: Mapping[str, pa.Table], rows: Mapping[str, int], rate: float, *, is_text: bool
) -> tuple[dict[str, BadRows], tuple[Dirt, ...]]:
    """Return bad rows for each table, and the truth about them.

    Parameters
    ----------
    sample
        Good rows of every table, to copy from.
    rows
        Rows of every whole table.
    rate
        Bad rows as a share of a table's rows, at least one and at most 1,000 of each kind; 0 for none.
    is_text
        False for files with typed columns, which cannot hold text in a date or an amount.

    Examples
    --------
    >>> bad_rows({}, {}, 0.0, is_text=True)
    ({}, ())
    """
    if rate <= 0:
        return {}, ()
    kinds = [
        kind
        for kind in _KINDS
        if kind.table in sample and sample[kind.table].num_rows and (is_text or not kind.is_text_only)
    ]
    bad: dict[str, list[tuple[str | None, ...]]] = {}
    truth = []
    for kind in kinds:
        table = sample[kind.table]
        siblings = sum(other.table == kind.table for other in kinds)
        count = min(max(1, round(rate * rows[kind.table] / siblings)), _MOST_ROWS, table.num_rows)
        step = table.num_rows // count
        good = table.take(pa.array([step // 2 + step * i for i in range(count)])).to_pylist()
        for number, row in enumerate(good, start=1):
            changed = {**row, **{name: _filled(value, number) for name, value in kind.changes}}
            bad.setdefault(kind.table, []).append(tuple(_as_text(changed[name]) for name in table.column_names))
        truth.append(
            Dirt(
                table=kind.table,
                kind=kind.kind,
                rule=kind.rule,
                column=kind.column,
                rows=count,
            )
        )
    named = {name: BadRows(tuple(sample[name].column_names), tuple(lines)) for name, lines in bad.items()}
    return named, tuple(truth)


def _filled(value: str | None, number: int) -> str | None:
    if value is None:
        return None
    return value.replace("{90000+i}", str(90_000 + number)).replace("{i}", str(number))


def _as_text(value: object) -> str | None:
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)
