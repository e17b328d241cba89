"""What the stages of a run read from the warehouse and write back to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from marginwise.contract.loader import contracts
from marginwise.engine.duckdb import transaction

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

__all__ = [
    "TRAFFIC_TABLES",
    "active_files",
    "as_of_date",
    "broken_rules",
    "table_grades",
    "tables_count",
    "traffic_channels",
    "warehouse_table",
    "write_tables",
]

TRAFFIC_TABLES = (
    "intermediate.int_channels_grouped",
    "intermediate.int_traffic_labelled",
    "staging.stg_marketing_spend",
)
"""What `traffic_channels` reads."""


def warehouse_table(con: duckdb.DuckDBPyConnection, name: str, *, without: str = "") -> pa.Table:
    """Return a table of the warehouse, its rows in an order that depends on nothing but them.

    Parameters
    ----------
    con
        The warehouse.
    name
        Schema and table.
    without
        A column that is left out; the rows then come as they lie.
    """
    if without:
        return con.sql(f"select * exclude ({without}) from {name}").to_arrow_table()
    return con.sql(f"from {name} order by all").to_arrow_table()


def write_tables(con: duckdb.DuckDBPyConnection, schema: str, tables: Mapping[str, pa.Table]) -> None:
    """Write tables into a schema, all of them or none; each takes the place of its former self."""
    with transaction(con):
        con.execute(f"create schema if not exists {schema}")
        for name, table in tables.items():
            con.register("incoming", table)
            con.execute(f"create or replace table {schema}.{name} as from incoming")
            con.unregister("incoming")


def table_grades(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Return the grade and the row counts of every contract table that is present or required, in the contract's order."""
    found = _rows(
        con,
        "select table_name, grade, rows_in, rows_loaded, rows_superseded, rows_quarantined, rows_warned, newest_at"
        " from ops.table_grades where is_present or is_required",
    )
    order = list(contracts())
    return sorted(found, key=lambda row: order.index(row["table_name"]))


def broken_rules(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Return every rule that rows break, the one with most rows first."""
    return _rows(
        con,
        "select table_name, rule, column_name, severity, row_count, message from ops.checks where row_count > 0"
        " order by row_count desc, table_name, rule, column_name",
    )


def active_files(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Return source, file, hash and rows of every landed file that counts."""
    return _rows(
        con,
        "select source_name as source, file_name as file, file_hash as hash, row_count as rows"
        " from ops.files where is_active order by all",
    )


def as_of_date(con: duckdb.DuckDBPyConnection) -> dt.date | None:
    """Return the day that the numbers of the built warehouse speak of."""
    found: dt.date | None = con.execute("select max(as_of_date) from intermediate.int_periods_set").fetchall()[0][0]
    return found


def tables_count(con: duckdb.DuckDBPyConnection) -> int:
    """Return how many tables and views the warehouse holds."""
    return int(con.execute("select count(*) from information_schema.tables").fetchall()[0][0])


def traffic_channels(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Return the channel of every name that orders, visits, customers or stated spend give theirs; nothing before a build."""
    there = con.execute("select concat(table_schema, '.', table_name) from information_schema.tables").fetchall()
    if not {(name,) for name in TRAFFIC_TABLES} <= set(there):
        return {}
    return {
        row["label"]: row["channel_name"]
        for row in _rows(
            con,
            """
            with named as (
                select channel, channel_name, is_spend_only from intermediate.int_channels_grouped
                join intermediate.int_traffic_labelled using (source, medium, campaign, channel, is_paid)
            ), stated as (
                select trim(channel) as channel from staging.stg_marketing_spend
            )
            select distinct coalesce(nullif(channel, ''), channel_name) as label, channel_name from named
            where not is_spend_only or channel in (select channel from stated)
            """,
        )
    }


def _rows(con: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = con.sql(query).to_arrow_table().to_pylist()
    return rows
