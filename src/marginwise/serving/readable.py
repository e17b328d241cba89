"""Makes what a query answers fit for a reader in Python: no value lost to a name, none that Python cannot hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import duckdb

from marginwise.connectors.canonical import identifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

__all__ = ["readable"]

_TEMPORAL = re.compile("date|time")


def readable(table: pa.Table) -> pa.Table:
    """Return the table with every column under a name of its own, and as text where Python cannot hold its values.

    Parameters
    ----------
    table
        What the engine answered.

    Notes
    -----
    The engine writes the text, for it knows its own infinite days, years beyond 9999 and nanoseconds.

    >>> readable(duckdb.sql("select 1 as a, 2 as a, 'infinity'::date as day").to_arrow_table()).to_pylist()
    [{'a': 1, 'a_2': 2, 'day': 'infinity'}]
    """
    table = table.rename_columns(_named_apart(table.column_names))
    beyond = {name for name in table.column_names if not _python_holds(table[name])}
    if not beyond:
        return table
    columns = (
        f"{name}::varchar as {name}" if plain in beyond else name
        for plain, name in ((plain, identifier(plain)) for plain in table.column_names)
    )
    with duckdb.connect(":memory:") as con:
        return con.from_arrow(table).project(", ".join(columns)).to_arrow_table()


def _named_apart(names: Sequence[str]) -> list[str]:
    """Return the names, a second ``a`` as ``a_2``; upper and lower case are one, as to the engine.

    >>> _named_apart(["a", "A", "b", "a_2"])
    ['a', 'A_3', 'b', 'a_2']
    """
    given = {name.casefold() for name in names}
    taken: set[str] = set()
    apart = []
    for name in names:
        number, told = 1, name
        while told.casefold() in taken or (number > 1 and told.casefold() in given):
            number += 1
            told = f"{name}_{number}"
        taken.add(told.casefold())
        apart.append(told)
    return apart


def _python_holds(column: pa.ChunkedArray) -> bool:
    if not _TEMPORAL.search(str(column.type)):
        return True
    try:
        column.to_pylist()
    except (OverflowError, ValueError):
        return False
    return True
