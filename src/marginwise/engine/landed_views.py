"""Lays the contract's views over the raw tables, and counts the rows that a mapping loses or multiplies."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from marginwise.connectors.canonical import identifier
from marginwise.connectors.compilation import LINEAGE_COLUMNS, Compiler, empty_table
from marginwise.connectors.declared_formats import declared_formats
from marginwise.contract.loader import contracts
from marginwise.engine.duckdb import transaction
from marginwise.engine.ledger import raw_columns

if TYPE_CHECKING:
    from collections.abc import Mapping as Dictionary

    import duckdb

    from marginwise.connectors.mapping import Mapping

__all__ = ["LandingCheck", "create_landed_views", "landing_checks"]

LandingCheck = tuple[str, str, int, str]
"""Raw table, rule, rows concerned, message."""


def create_landed_views(con: duckdb.DuckDBPyConnection, mappings: Dictionary[str, Mapping]) -> None:
    """Create `landed.<table>` for every contract table, typed and empty where no source fills it, and note declared formats.

    `ops.table_feeds` says which raw tables each is read from.

    It is a view where reading it costs little. Where the mapping reads text, filters, joins or keeps one row per key it
    is a table, so that the stages behind, which read it many times, do not evaluate the mapping each time.

    Raises
    ------
    UnknownColumn, BadMapping
        When a mapping cannot be evaluated over what has landed; the views stay as they were.
    """
    with ExitStack() as stack:
        compilers = [stack.enter_context(Compiler(mapping, _columns(con, mapping))) for mapping in mappings.values()]
        queries = {table: _view(con, table, compilers) for table in contracts()}
        costly = {table for table in contracts() if any(_is_costly(compiler, table) for compiler in compilers)}
    formats = [declared for mapping in mappings.values() for declared in declared_formats(mapping)]
    present = con.execute(
        "select table_name, case table_type when 'VIEW' then 'view' else 'table' end"
        " from information_schema.tables where table_schema = 'landed'"
    ).fetchall()
    feeds = sorted(
        {(entry.table, mapping.raw_table(entry.group)) for mapping in mappings.values() for entry in mapping.tables}
    )
    with transaction(con):
        con.execute("delete from ops.table_feeds")
        if feeds:
            con.executemany("insert into ops.table_feeds values (?, ?)", feeds)
        for table, kind in present:
            con.execute(f"drop {kind} landed.{identifier(table)}")
        for table, query in queries.items():
            con.execute(f"create {'table' if table in costly else 'view'} landed.{identifier(table)} as\n{query}")
        con.execute("delete from ops.declared_formats")
        if formats:
            con.executemany("insert into ops.declared_formats values (?, ?, ?, ?)", formats)


def landing_checks(con: duckdb.DuckDBPyConnection, mappings: Dictionary[str, Mapping]) -> list[LandingCheck]:
    """Count the rows of every file group that reach no table, that reach one more than once, or that nothing reads."""
    found: list[LandingCheck] = []
    split = {
        name
        for (name,) in con.execute(
            "select raw_table from ops.files where is_active and row_count > 0 group by raw_table having count(*) > 1"
        ).fetchall()
    }
    for mapping in mappings.values():
        with Compiler(mapping, _columns(con, mapping)) as compiler:
            for group in compiler.columns:
                raw_table = mapping.raw_table(group)
                missed = _count(con, compiler.unreached(group))
                is_split = raw_table in split
                if missed:
                    found.append(
                        (raw_table, "rows_unreached", missed, f"{missed} rows fit no `where` and reach no table.")
                    )
                for entry in mapping.tables:
                    added = _count(con, compiler.multiplied(entry)) if entry.group == group else 0
                    if added:
                        message = f"The join of {entry.table} adds {added} rows: it must match one row at most."
                        found.append((raw_table, "rows_multiplied", added, message))
                    differing = _count(con, compiler.differing(entry)) if entry.group == group and is_split else 0
                    if differing:
                        message = (
                            f"{differing} values of {entry.number_within} have other rows in one file than in another:"
                            f' in {entry.table} they add up. If newer files correct older ones, set load = "upsert".'
                        )
                        found.append((raw_table, "files_differ", differing, message))
    return found + _file_notes(con, mappings)


def _file_notes(con: duckdb.DuckDBPyConnection, mappings: Dictionary[str, Mapping]) -> list[LandingCheck]:
    tables = {mapping.raw_table(group) for mapping in mappings.values() for group in mapping.files}
    notes = con.execute(
        "select raw_table, note, count(*), min(file_name) from ops.files where is_active and note is not null "
        "group by raw_table, note order by all"
    ).fetchall()
    return [
        (raw_table, "file_note", count, f"{name}{f' and {count - 1} more' if count > 1 else ''}: {note}.")
        for raw_table, note, count, name in notes
        if raw_table in tables
    ]


def _columns(con: duckdb.DuckDBPyConnection, mapping: Mapping) -> dict[str, dict[str, str]]:
    columns = {group: raw_columns(con, mapping.raw_table(group)) for group in mapping.files}
    return {group: named for group, named in columns.items() if named}


def _view(con: duckdb.DuckDBPyConnection, table: str, compilers: list[Compiler]) -> str:
    parts = [compiler.table(table) for compiler in compilers if compiler.has_table(table)]
    if not parts:
        return empty_table(table)
    if len(parts) == 1:
        return parts[0]
    union = "\nunion all by name\n".join(f"select * from (\n{part}\n)" for part in parts)
    names = [row[0] for row in con.execute(f"describe {union}").fetchall()]
    order = [*contracts()[table].column_names, *(name for name in names if name.startswith("x_")), *LINEAGE_COLUMNS]
    return f"select {', '.join(map(identifier, order))}\nfrom (\n{union}\n)"


def _is_costly(compiler: Compiler, table: str) -> bool:
    return any(
        bool(entry.join or entry.where or entry.one_row_per)
        or set(compiler.columns[entry.group].values()) == {"VARCHAR"}
        for entry in compiler.mapping.tables
        if entry.table == table and entry.group in compiler.columns
    )


def _count(con: duckdb.DuckDBPyConnection, sql: str | None) -> int:
    return int(con.execute(sql).fetchall()[0][0]) if sql else 0
