"""Tells which landed rows the check has not seen as they are now, of tables whose rows a mapping makes of several.

A place is a row of a landed content. What a file brings may change rows that were made of other files: a number, a joined
value, which of several rows is chosen. So the rows before and after are compared, and the places that differ are told.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from marginwise.connectors.canonical import identifier, literal
from marginwise.engine.build_state import kept_state

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

__all__ = ["LandedPlaces"]

_PLACE = "_raw_table, _file_hash, _row_number"


class LandedPlaces:
    """The places told in `ops.landed_places`, for each landed table since the version that the check has seen.

    Parameters
    ----------
    con
        The warehouse.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con
        checked = kept_state(con, "check")
        self._checked = checked.contents if checked else {}
        self._told = {table for (table,) in con.execute("select distinct table_name from ops.landed_places").fetchall()}

    def begin(self, table: str, version: str, told_since: str | None) -> str | None:
        """Begin to tell the places of a table anew where the check has seen the version that the table leaves, else go on.

        Parameters
        ----------
        table
            The contract table.
        version
            What it has been made of until now.
        told_since
            The version since which its places were told until now; None where they were not.

        Returns
        -------
        str or None
            The version since which they are told from now on; None where they cannot be.
        """
        if self._checked.get(table) != version or told_since == version:
            return told_since
        self.forget(table)
        return version

    def forget(self, table: str) -> None:
        """Forget the places of a table."""
        if table in self._told:
            self._con.execute(f"delete from ops.landed_places where table_name = {literal(table)}")
            self._told.remove(table)

    @contextmanager
    def told(self, table: str, condition: str) -> Iterator[None]:
        """Tell the places at which the rows of a landed table that fit a condition differ after a block from those before it."""
        rows = f"from landed.{identifier(table)} where {condition}"
        self._con.execute(f"create or replace temp table rows_before as {rows}")
        yield
        self._con.execute(
            f"insert into ops.landed_places select distinct {literal(table)}, {_PLACE} from (\n"
            f"    select * exclude (_sign) from (select *, -1 as _sign from rows_before union all select *, 1 {rows})\n"
            "    group by all having sum(_sign) <> 0\n) except from ops.landed_places"
        )
        self._con.execute("drop table rows_before")
        self._told.add(table)
