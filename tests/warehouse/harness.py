"""Builds a warehouse from literal contract rows, so that a test shows its whole input."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from marginwise.contract.loader import contracts
from marginwise.engine.dbt import WarehouseProject
from marginwise.engine.duckdb import engine_options, open_warehouse, write_declared
from marginwise.settings import Settings

Rows = Sequence[Mapping[str, Any]]
LANDED_ON = dt.date(2030, 1, 1)
LINEAGE = {"_source": "varchar", "_file_hash": "varchar", "_row_number": "bigint", "_file_date": "date",
           "_landed_date": "date", "_raw_table": "varchar"}  # fmt: skip


def land_rows(con: duckdb.DuckDBPyConnection, tables: Mapping[str, Rows]) -> None:
    """Write `landed.*` for every contract table; columns not given are null, values are given as text."""
    unknown = set(tables) - set(contracts())
    assert not unknown, f"no contract table: {unknown}"
    con.execute("create schema if not exists landed; create schema if not exists raw; create schema if not exists ops")
    con.execute(
        "create or replace table ops.files (file_hash varchar, source_name varchar, raw_table varchar, file_name varchar,"
        " file_date date, row_count bigint, unreadable_count bigint, byte_count bigint, landed_at timestamp, is_active boolean)"
    )
    con.execute(
        "create or replace table ops.landing_checks (raw_table varchar, rule varchar, row_count bigint, message varchar)"
    )
    con.execute(
        "create or replace table ops.declared_formats"
        " (raw_table varchar, table_name varchar, column_name varchar, accepted varchar)"
    )
    con.execute(
        "create or replace table raw.unreadable_rows (source_name varchar, raw_table varchar, file_hash varchar,"
        " row_number bigint, reason varchar, line_text varchar)"
    )
    con.execute("create or replace table ops.table_feeds (table_name varchar, raw_table varchar)")
    con.execute(
        "create or replace table ops.landed_places"
        " (table_name varchar, _raw_table varchar, _file_hash varchar, _row_number bigint)"
    )
    for name, contract in contracts().items():
        rows = tables.get(name, [])
        declared = [column.name for column in contract.columns]
        extra = sorted({key for row in rows for key in row if key.startswith("x_")})
        known = {*declared, *extra, *LINEAGE}
        for row in rows:
            assert set(row) <= known, f"{name}: {set(row) - known}"
        columns = [f"{column} varchar" for column in [*declared, *extra]] + [
            f"{key} {kind}" for key, kind in LINEAGE.items()
        ]
        con.execute(f"create or replace table landed.{name} ({', '.join(columns)})")
        if rows:
            landed = [_landed_row(name, number, row, [*declared, *extra]) for number, row in enumerate(rows, start=1)]
            arrow = pa.table(list(map(_text_array, zip(*landed, strict=True))), names=[*declared, *extra, *LINEAGE])
            con.register("landed_rows", arrow)
            con.execute(f"insert into landed.{name} select * from landed_rows")
            con.unregister("landed_rows")


def _text_array(values: Sequence[Any]) -> pa.Array:
    return pa.array([None if value is None else str(value) for value in values], pa.string())


def _landed_row(table: str, number: int, row: Mapping[str, Any], columns: Sequence[str]) -> list[Any]:
    lineage = {"_source": "test", "_file_hash": f"hash of {table}", "_row_number": number, "_file_date": None,
               "_landed_date": LANDED_ON, "_raw_table": f"test__{table}"}  # fmt: skip
    defaults = {"store_id": "main"}
    values = [row.get(column, defaults.get(column)) for column in columns]
    return values + [row.get(key, lineage[key]) for key in LINEAGE]


def build(
    tables: Mapping[str, Rows],
    *,
    select: str | None = None,
    vars: Mapping[str, Any] | None = None,
    settings: Settings | None = None,
    directory: Path | None = None,
) -> duckdb.DuckDBPyConnection:
    """Land the rows, build what is selected (default: all) with its tests, and return an open connection.

    Parameters
    ----------
    tables
        Contract table name to rows; a value may be anything whose text the contract reads.
    select
        dbt selection; ``+`` graph operators work.
    vars
        dbt variables that differ from the project's defaults.
    settings
        Where assumptions and channel rules come from.
    directory
        Where the warehouse goes (default: a temporary folder).
    """
    warehouse = (directory or Path(tempfile.mkdtemp(prefix="marginwise-"))) / "warehouse.duckdb"
    con = open_warehouse(warehouse)
    land_rows(con, tables)
    write_declared(con, settings or Settings())
    con.close()
    options = engine_options((settings or Settings()).warehouse)
    WarehouseProject(warehouse, dict(vars or {}), options=options, threads=1).build(select or "*")
    return open_warehouse(warehouse)
