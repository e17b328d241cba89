"""Finds several tables glued into one flat file: which columns stay the same per order, per customer, per product."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from marginwise.connectors.canonical import identifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from marginwise.connectors.proposal.profile import ColumnProfile, FileProfile

__all__ = ["Dependencies", "dependencies", "find_order_key", "included_share", "is_of_order", "share_of_rows"]

# columns that one query measures: the time DuckDB takes to plan it grows with the square of their number
_AT_ONCE = 30


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What a key determines in a file.

    Parameters
    ----------
    groups, repeated
        Number of different keys, and of those with more than one row.
    rows
        Rows that have the key.
    comparable
        Per column: keys with at least two filled values of it, which can tell whether it stays the same.
    varying
        Per column: those of them in which it changes.
    gaps
        Per column: keys that have it in some of their rows only.
    """

    groups: int
    repeated: int
    rows: int
    comparable: dict[str, int]
    varying: dict[str, int]
    gaps: dict[str, int]

    def constant_share(self, column: str) -> float:
        """Share of the comparable keys in which the column never changes; 1 when nothing can be compared."""
        count = self.comparable[column]
        return 1 - self.varying[column] / count if count else 1.0

    def is_constant(self, column: str, *, tolerance: float = 0.02) -> bool:
        """Tell whether the column stays the same inside (nearly) every key."""
        return self.constant_share(column) >= 1 - tolerance

    def has_gaps(self, column: str) -> bool:
        """Tell whether the column is filled in some rows of a key and empty in others."""
        return self.gaps[column] > 0

    @property
    def is_unique(self) -> bool:
        """True when (nearly) every row has a key of its own."""
        return self.rows > 0 and self.groups / self.rows >= 0.98


def dependencies(
    con: duckdb.DuckDBPyConnection,
    relation: str,
    key: str,
    columns: Sequence[str],
    *,
    where: str = "true",
    ignoring_zero: Sequence[str] = (),
) -> Dependencies:
    """Measure what a key determines, a few columns in one pass.

    Parameters
    ----------
    con
        The database with the file's rows.
    relation
        Table of the rows.
    key
        SQL expression of the key.
    columns
        Columns to look at.
    where
        Condition on the rows.
    ignoring_zero
        Columns (amounts) of which keys that only hold zeros tell nothing.
    """
    groups = repeated = rows = 0
    facts: dict[str, Sequence[int]] = {}
    for start in range(0, max(len(columns), 1), _AT_ONCE):
        part = columns[start : start + _AT_ONCE]
        sql = _measuring(relation, key, part, where, ignoring_zero)
        groups, repeated, rows, *counts = map(int, con.execute(sql).fetchall()[0])
        facts |= {name: counts[3 * number : 3 * number + 3] for number, name in enumerate(part)}
    return Dependencies(
        groups=groups, repeated=repeated, rows=rows,
        comparable={name: fact[0] for name, fact in facts.items()},
        varying={name: fact[1] for name, fact in facts.items()},
        gaps={name: fact[2] for name, fact in facts.items()},
    )  # fmt: skip


def _measuring(relation: str, key: str, columns: Sequence[str], where: str, ignoring_zero: Sequence[str]) -> str:
    measured, told = [], []
    for number, name in enumerate(columns):
        column = identifier(name)
        measured.append(f"min({column}) as lo{number}, max({column}) as hi{number}, count({column}) as n{number}")
        zero = (
            f" and (try_cast(lo{number} as double) <> 0 or try_cast(hi{number} as double) <> 0)"
            if name in ignoring_zero
            else ""
        )
        several = f"n{number} >= 2{zero}"
        told.append(
            f"count(*) filter (where {several}), count(*) filter (where {several} and lo{number} <> hi{number}),"
            f" count(*) filter (where n{number} > 0 and n{number} < n)"
        )
    return (
        f"with grouped as (select {key} as k, count(*) as n{''.join(', ' + m for m in measured)} from {relation}"
        f" where ({where}) and ({key}) is not null group by 1)\n"
        "select count(*), count(*) filter (where n > 1), coalesce(sum(n), 0)"
        f"{''.join(', ' + t for t in told)} from grouped"
    )


def is_of_order(column: str, inside: Dependencies | None) -> bool:
    """Tell whether an amount belongs to the order: the same in all its lines, or stated in one of them only."""
    if inside is None or column not in inside.comparable or not inside.is_constant(column, tolerance=0.05):
        return False
    if inside.comparable[column] >= 5:
        return True
    return inside.repeated >= 5 and inside.gaps[column] > 0.5 * inside.repeated


def find_order_key(
    con: duckdb.DuckDBPyConnection, profile: FileProfile, candidates: Sequence[ColumnProfile]
) -> ColumnProfile | None:
    """Return the column that behaves like an order number: repeated, and inside it the dates never change.

    Parameters
    ----------
    con
        The database with the file's rows.
    profile
        The file.
    candidates
        Columns that may be it.

    Returns
    -------
    ColumnProfile or None
        Of several, the one that most other columns depend on and that tells the most orders apart.
    """
    times = [column.name for column in profile.columns if column.is_time]
    if not times:
        return None
    best: tuple[tuple[float, ...], ColumnProfile] | None = None
    for column in candidates:
        # the dates first: few keys pass, and only these are worth a look at every column
        found = dependencies(con, profile.relation, column.sql, times)
        if found.groups < 2 or found.rows < 0.9 * profile.rows or found.repeated < 0.02 * found.groups:
            continue
        if max(found.constant_share(name) for name in times) < 0.97:
            continue
        others = [other.name for other in profile.columns if other.name != column.name and other.filled]
        found = dependencies(con, profile.relation, column.sql, others)
        constant = sum(found.is_constant(name) for name in others)
        rank = (constant, found.groups)
        if len(others) > constant and (best is None or rank > best[0]):
            best = (rank, column)
    return best[1] if best else None


def share_of_rows(
    con: duckdb.DuckDBPyConnection, relation: str, condition: str, where: str = "true"
) -> tuple[float, int]:
    """Return the share of the rows on which a condition holds, of those where it can be decided, and their number."""
    row = con.execute(
        "select count(*) filter (where held), count(held)"
        f" from (select ({condition}) as held from {relation} where {where})"
    ).fetchall()[0]
    return (row[0] / row[1] if row[1] else 0.0), int(row[1])


def included_share(con: duckdb.DuckDBPyConnection, relation: str, column: str, other: str, other_column: str) -> float:
    """Return the share of the different values of a column that also stand in a column of another file."""
    there = f"select cast({other_column} as varchar) from {other} where {other_column} is not null"
    row = con.execute(
        f"select count(*), count(*) filter (where v in ({there}))"
        f" from (select distinct cast({column} as varchar) as v from {relation} where {column} is not null)"
    ).fetchall()[0]
    return row[1] / row[0] if row[0] else 0.0
