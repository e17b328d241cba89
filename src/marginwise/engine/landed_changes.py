"""Tells which contents came, went or are told anew since the landed tables were laid, and which rows they touch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marginwise.connectors.canonical import literal
from marginwise.connectors.reach import rows_of_keys

if TYPE_CHECKING:
    from collections.abc import Collection

    import duckdb

    from marginwise.connectors.compilation import Compiler
    from marginwise.connectors.mapping import TableMapping

__all__ = ["FileChanges", "LaidFile"]

LaidFile = tuple[object, ...]
"""Raw table, content hash, and what else of a content that counts may decide over its rows."""
_COLUMNS = "raw_table, file_hash, reading_hash, file_date, landed_at, file_name"
_MOSTLY_TOUCHED = 1 / 3
"""Share of a raw table's rows beyond which laying a table anew costs less than exchanging rows."""


class FileChanges:
    """The contents that count now, and those that counted when the landed tables were last laid.

    Parameters
    ----------
    con
        The warehouse, the files landed.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con
        self._now = con.execute(f"select {_COLUMNS} from ops.files where is_active order by all").fetchall()
        self._laid = con.execute(f"select {_COLUMNS} from ops.laid_files order by all").fetchall()
        self._known = set(con.execute("select raw_table, file_hash from ops.files").fetchall())
        self._touched: dict[tuple[str, str], str | None] = {}

    def now(self, raw_tables: Collection[str]) -> list[LaidFile]:
        """Return the contents of raw tables that count."""
        return [file for file in self._now if file[0] in raw_tables]

    def laid(self, raw_tables: Collection[str]) -> list[LaidFile]:
        """Return the contents of raw tables that counted when the landed tables were laid."""
        return [file for file in self._laid if file[0] in raw_tables]

    def touched(self, compiler: Compiler, entry: TableMapping, key: str) -> str | None:
        """Return the condition on `_file_hash` and `_row_number` of the rows that the changed contents touch.

        Parameters
        ----------
        compiler
            The compiler of the mapping.
        entry
            One of its tables.
        key
            Its `row_key`; what a content touches are all rows that share a key with one of its own.

        Returns
        -------
        str or None
            None where they are too many, or where a content has been taken out, whose keys nobody knows any more.
        """
        raw_table = compiler.mapping.raw_table(entry.group)
        changed = {file[:2] for file in set(self.now([raw_table])) ^ set(self.laid([raw_table]))}
        if not changed:
            return "false"
        contents = f"_file_hash in ({', '.join(sorted(literal(str(file_hash)) for _, file_hash in changed))})"
        if not key:
            return contents
        if not changed <= self._known:
            return None
        if (raw_table, key) not in self._touched:
            rows = rows_of_keys(
                compiler.mapping, entry, compiler.columns[entry.group], key=key, chosen=f"where {contents}"
            )
            self._touched[raw_table, key] = self._kept(raw_table, rows)
        return self._touched[raw_table, key]

    def keep(self) -> None:
        """Write down that the landed tables are laid over the contents that count now."""
        self._con.execute("delete from ops.laid_files")
        self._con.execute(f"insert into ops.laid_files select {_COLUMNS} from ops.files where is_active")

    def _kept(self, raw_table: str, rows: str) -> str | None:
        table = f"touched_{len(self._touched)}"
        self._con.execute(f"create or replace temp table {table} as {rows}")
        touched = self._con.execute(f"select count(*) from {table}").fetchall()[0][0]
        total = self._con.execute("select sum(row_count) from ops.files where raw_table = ?", [raw_table]).fetchall()
        return None if touched > _MOSTLY_TOUCHED * total[0][0] else f"(_file_hash, _row_number) in (from {table})"
