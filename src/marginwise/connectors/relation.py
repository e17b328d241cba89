"""The rows of a file group as a mapping's expressions see them: active, cleaned, each with its file and number."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from marginwise.connectors.canonical import cleaned, identifier, literal
from marginwise.errors import UnknownColumn, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping as Dictionary

    from marginwise.connectors.mapping import Mapping, TableMapping

__all__ = ["FILES_TABLE", "active_rows", "active_rows_count", "cleaned_columns", "numbered_rows", "window_day"]

FILES_TABLE = """
create table if not exists ops.files (
    file_hash varchar not null, source_name varchar not null, raw_table varchar not null, file_name varchar not null,
    file_date date, row_count bigint not null, unreadable_count bigint not null, byte_count bigint not null,
    landed_at timestamp not null, is_active boolean not null, reading_hash varchar not null,
    window_start date, window_end date, note varchar
)
"""
_OF_ACTIVE_FILE = "join ops.files as f on f.raw_table = {raw_table} and f.file_hash = r._file_hash and f.is_active"
# Where exports overlap, a row counts once: its copies in one file are told apart, and the same copy in two files has one
# number. Numbers follow the order of the file; what two files have in the same place follows its content.
_NUMBERED = """
    select * exclude (_within, _content, _copy, _place),
        dense_rank() over (partition by _within order by _place, {content}, _copy) as _number
    from (
        select *, min(_row_number) over (partition by _within, _content, _copy) as _place
        from (
            select *, row_number() over (partition by _within, _content, _file_hash order by _row_number) as _copy
            from (
                select *, ({within}) as _within, hash({content}) as _content from (
    {rows}
                ) as {alias}
            ){newest}
        )
    )"""
_NEWEST = """
            qualify _file_hash = (
                max_by(_file_hash, (
                    select row(coalesce(f.file_date, date '0001-01-01'), f.landed_at, f.file_name)
                    from ops.files as f where f.raw_table = {raw_table} and f.file_hash = _file_hash
                )) over (partition by _within)
            )"""
# of the files that cover a day, the newest one gives all its rows
_WINDOW = """
    left join (
        select day, arg_max(file_hash, version) as file_hash
        from (
            select
                cast(unnest(generate_series(
                    cast(window_start as timestamp), cast(window_end as timestamp), interval 1 day
                )) as date) as day,
                file_hash,
                row(coalesce(file_date, date '0001-01-01'), landed_at, file_name) as version
            from ops.files where raw_table = {raw_table} and is_active
        )
        group by day
    ) as w on w.day = {day}
    where w.day is null or w.file_hash = r._file_hash"""


def cleaned_columns(mapping: Mapping, group: str, columns: Dictionary[str, str]) -> list[str]:
    """Return the columns of a file group's raw table `r` as the mapping's expressions see them, named as they are."""
    described = mapping.files[group]
    return [
        f"{cleaned(f'r.{identifier(name)}', name, kind, described)} as {identifier(name)}"
        for name, kind in columns.items()
    ]


def active_rows(mapping: Mapping, group: str, columns: Dictionary[str, str]) -> str:
    """Return the query of a file group's rows that count, with `_file_hash`, `_row_number` and the dates of the file.

    Parameters
    ----------
    mapping
        The mapping.
    group
        One of its file groups.
    columns
        The columns of the group's raw table and their DuckDB types.

    Raises
    ------
    UnknownColumn
        When the group is loaded by window and its window column is not there.
    """
    raw_table = mapping.raw_table(group)
    listed = cleaned_columns(mapping, group, columns)
    listed += ["r._file_hash", "r._row_number", "f.file_date as _file_date"]
    listed.append("cast(f.landed_at as date) as _landed_date")
    sql = (
        "select "
        + ",\n        ".join(listed)
        + f"\n    from raw.{identifier(raw_table)} as r\n    {_OF_ACTIVE_FILE.format(raw_table=literal(raw_table))}"
    )
    if mapping.load_mode(group) == "window":
        sql += _WINDOW.format(raw_table=literal(raw_table), day=window_day(mapping, group, columns))
    return sql


def active_rows_count(mapping: Mapping, group: str) -> str:
    """Return the query of how many rows of a file group are active, file by file.

    Parameters
    ----------
    mapping
        The mapping.
    group
        One of its file groups that is not loaded by window.
    """
    raw_table = mapping.raw_table(group)
    counts = f"select _file_hash, count(*) as row_count from raw.{identifier(raw_table)} group by _file_hash"
    return f"select r.row_count from ({counts}) as r\n    {_OF_ACTIVE_FILE.format(raw_table=literal(raw_table))}"


def numbered_rows(mapping: Mapping, entry: TableMapping, columns: Dictionary[str, str]) -> str:
    """Return the query of `active_rows` for a table that counts its rows, with `_number`.

    A row is told by the columns of the file that the table's own expressions use, extra columns left aside, so that two
    exports of one order are one also where something else of it, such as its status, has changed meanwhile.

    Parameters
    ----------
    mapping
        The mapping.
    entry
        One of its tables, with `number_within`.
    columns
        The columns of its group's raw table and their DuckDB types.

    Raises
    ------
    UnknownColumn
        As `active_rows`.
    """
    rows = active_rows(mapping, entry.group, columns)
    told = " ".join(
        [entry.number_within, *(sql for name, sql in entry.columns.items() if not name.startswith("x_"))]
    ).casefold()
    used = [name for name in columns if re.search(rf"(?<!\w){re.escape(name.casefold())}(?!\w)", told)] or [*columns]
    is_upsert = mapping.load_mode(entry.group) == "upsert"
    return _NUMBERED.format(
        content=", ".join(map(identifier, used)),
        within=entry.number_within,
        rows=rows,
        alias=identifier(entry.alias),
        newest=_NEWEST.format(raw_table=literal(mapping.raw_table(entry.group))) if is_upsert else "",
    )


def window_day(mapping: Mapping, group: str, columns: Dictionary[str, str]) -> str:
    """Return the expression of the day that decides which file's rows hold (`load = "window"`), over the raw table `r`.

    Raises
    ------
    UnknownColumn
        When the group has no such column.
    """
    described = mapping.files[group]
    wanted = described.window or ""
    name = {column.casefold(): column for column in columns}.get(wanted.casefold())
    if name is None:
        raise UnknownColumn(
            f"{mapping.origin}: files.{group}.window names the column {wanted!r}, which the files do not have.",
            nearest=nearest(wanted, columns),
            accepted=columns,
        )
    return f"try_cast({cleaned(f'r.{identifier(name)}', name, columns[name], described)} as date)"
