"""The landing ledger: which content of which file has landed, which counts, and the raw tables that hold the rows.

Most of what is asked once a file or more has its texts in the statement: of each value that is bound to one and not null, the engine asks
for a fifth of a millisecond or more whether it is one of pandas, where that is not installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from marginwise.connectors.canonical import identifier, literal
from marginwise.connectors.relation import FILES_TABLE
from marginwise.engine.duckdb import transaction

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Mapping as Dictionary

    import duckdb

    from marginwise.connectors.mapping import LoadMode

__all__ = [
    "columns_of_raw_table",
    "current_contents",
    "drop_content",
    "known_contents",
    "open_ledger",
    "point_to_content",
    "raw_columns",
    "raw_table_names",
    "renew_activity",
    "widen_raw_table",
]

_TABLES = (
    "create schema if not exists raw",
    "create schema if not exists ops",
    "create schema if not exists landed",
    FILES_TABLE,
    # the content each path holds now, or held when it was last seen
    "create table if not exists ops.file_paths (raw_table varchar not null, file_name varchar not null, "
    "file_hash varchar not null)",
    "create table if not exists raw.unreadable_rows (source_name varchar not null, raw_table varchar not null, "
    "file_hash varchar not null, row_number bigint not null, reason varchar not null, line_text varchar)",
    "create table if not exists ops.table_feeds (table_name varchar, raw_table varchar)",
    "create table if not exists ops.landed_tables (table_name varchar, query_hash varchar, version varchar,"
    " is_by_row boolean, has_rows boolean, columns varchar)",
    # since which version `ops.landed_places` tells of it, null where it does not; older versions made the table without
    "alter table ops.landed_tables add column if not exists told_since varchar",
    # places of landed rows that came, went or changed, of tables whose rows are made of several
    "create table if not exists ops.landed_places (table_name varchar, _raw_table varchar, _file_hash varchar,"
    " _row_number bigint)",
    # the contents that counted when the landed tables were laid
    "create table if not exists ops.laid_files (raw_table varchar, file_hash varchar, reading_hash varchar,"
    " file_date date, landed_at timestamp, file_name varchar)",
    "create table if not exists ops.landing_checks "
    "(raw_table varchar, rule varchar, row_count bigint, message varchar)",
    "create table if not exists ops.declared_formats "
    "(raw_table varchar, table_name varchar, column_name varchar, accepted varchar)",
)
_WHOLE_NUMBERS = {f"{sign}{size}INT" for sign in ("", "U") for size in ("TINY", "SMALL", "BIG", "HUGE")} | {
    "INTEGER",
    "UINTEGER",
}
_FAMILIES = (
    _WHOLE_NUMBERS | {"DECIMAL", "FLOAT", "DOUBLE"},
    {"DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE"},
)
"""Types that hold one another's values; whatever else differs is kept as text."""
_OWN_COLUMNS = ["_file_hash", "_row_number"]
"""What every raw table has beside the columns of its source."""
_NEWEST_FIRST = "file_date desc nulls last, landed_at desc, file_name desc"


def open_ledger(con: duckdb.DuckDBPyConnection) -> None:
    """Create the schemas and tables of landing where they are missing."""
    with transaction(con):
        for statement in _TABLES:
            con.execute(statement)


def known_contents(con: duckdb.DuckDBPyConnection, raw_table: str) -> dict[str, str]:
    """Return the hash of every landed content of a raw table, and of the options it was read with."""
    return dict(
        con.execute(f"select file_hash, reading_hash from ops.files where raw_table = {literal(raw_table)}").fetchall()
    )


def drop_content(con: duckdb.DuckDBPyConnection, raw_table: str, file_hash: str) -> None:
    """Take a content out again, so that it can be read with other options."""
    con.execute(f"delete from raw.{identifier(raw_table)} where _file_hash = ?", [file_hash])
    for table in ("raw.unreadable_rows", "ops.files"):
        con.execute(f"delete from {table} where raw_table = ? and file_hash = ?", [raw_table, file_hash])


def current_contents(con: duckdb.DuckDBPyConnection, raw_table: str) -> dict[str, str]:
    """Return the hash of the content every known path of a raw table holds, or held when it was last seen."""
    return dict(
        con.execute(
            f"select file_name, file_hash from ops.file_paths where raw_table = {literal(raw_table)}"
        ).fetchall()
    )


def point_to_content(con: duckdb.DuckDBPyConnection, raw_table: str, file_name: str, file_hash: str) -> None:
    """Record that a path holds a content."""
    table, name, content = map(literal, (raw_table, file_name, file_hash))
    con.execute(f"delete from ops.file_paths where raw_table = {table} and file_name = {name}")
    con.execute(f"insert into ops.file_paths values ({table}, {name}, {content})")


def renew_activity(con: duckdb.DuckDBPyConnection, raw_table: str, load: LoadMode) -> None:
    """Decide anew which contents of a raw table count, and which of its names each is told by: the first in order.

    Append: the content each path holds. Replace: the newest of those. Upsert and window: every content, since older
    rows hold where newer ones say nothing; which row wins is decided per key, or per day of the window.
    """
    of_table = f"raw_table = {literal(raw_table)}"
    con.execute(
        "update ops.files set file_name = named.file_name from (select file_hash, min(file_name) as file_name"
        f" from ops.file_paths where {of_table} group by file_hash) as named where {of_table}"
        " and files.file_hash = named.file_hash and files.file_name <> named.file_name"
    )
    held = f"file_hash in (select file_hash from ops.file_paths where {of_table})"
    active = {
        "append": held,
        "replace": f"coalesce(file_hash = (select file_hash from ops.files where {of_table} and {held} "
        f"order by {_NEWEST_FIRST} limit 1), false)",
        "upsert": "true",
        "window": "true",
    }[load]
    con.execute(f"update ops.files set is_active = ({active}) where {of_table} and is_active <> ({active})")


def raw_table_names(con: duckdb.DuckDBPyConnection) -> set[str]:
    """Return the names of the raw tables that exist."""
    rows = con.execute(
        "select table_name from duckdb_tables() where schema_name = 'raw' and database_name = current_database()"
    ).fetchall()
    return {row[0] for row in rows}


def raw_columns(con: duckdb.DuckDBPyConnection, raw_tables: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return the source columns of those raw tables that exist and have any, and their types."""
    there = raw_table_names(con)
    found = {raw_table: columns_of_raw_table(con, raw_table) for raw_table in raw_tables if raw_table in there}
    return {raw_table: columns for raw_table, columns in found.items() if columns}


def columns_of_raw_table(con: duckdb.DuckDBPyConnection, raw_table: str) -> dict[str, str]:
    """Return the source columns of a raw table that exists, and their types; the catalogue of all columns would be slow to read."""
    described = con.execute(f"describe raw.{identifier(raw_table)}").fetchall()
    return {name: kind for name, kind, *_ in described if name not in _OWN_COLUMNS}


def widen_raw_table(
    con: duckdb.DuckDBPyConnection, raw_table: str, before: Dictionary[str, str], columns: Dictionary[str, str]
) -> list[str]:
    """Make room for a file's columns in a raw table; rows of older files are null there.

    A column that comes with another type becomes the type that holds both, text if need be.

    Parameters
    ----------
    con
        The warehouse.
    raw_table
        Created when it is not there.
    before
        Its columns and their types so far.
    columns
        Those of the file.

    Returns
    -------
    list of str
        What changed, in words; empty for a new table.
    """
    table = f"raw.{identifier(raw_table)}"
    if not before:  # nor any row: a file without columns has none
        listed = [f"{identifier(name)} {kind}" for name, kind in columns.items()]
        listed = ["_file_hash varchar not null", "_row_number bigint not null", *listed]
        con.execute(f"create or replace table {table} ({', '.join(listed)})")
        return []
    known = {name.casefold(): (name, kind) for name, kind in before.items()}
    changes = []
    for name, kind in columns.items():
        if name.casefold() not in known:
            con.execute(f"alter table {table} add column {identifier(name)} {kind}")
            changes.append(f"new column {name}")
            continue
        own_name, own_kind = known[name.casefold()]
        wide = own_kind if own_kind == kind else _wider(con, own_kind, kind)
        if wide != own_kind:
            con.execute(f"alter table {table} alter column {identifier(own_name)} type {wide}")
            changes.append(f"column {own_name} was {own_kind}, is {wide}")
    return changes


def _wider(con: duckdb.DuckDBPyConnection, one: str, other: str) -> str:
    if not any(set(map(_stem, (one, other))) <= family for family in _FAMILIES):
        return "VARCHAR"  # the engine would make a map of a text that is to share its column with one
    rows = con.execute(f"describe select cast(null as {one}) as c union all select cast(null as {other})").fetchall()
    return str(rows[0][1])


def _stem(kind: str) -> str:
    """Return a type's name without its precision; a list or a struct is no simple type and stays whole."""
    return kind.split("(", 1)[0] if kind.startswith("DECIMAL(") else kind
