"""Writes the read-only store that readers see, and switches to it in one atomic step."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from marginwise.connectors.canonical import identifier, literal
from marginwise.contract.loader import contracts

__all__ = ["PUBLISHED_STORE", "Publication", "publish_store"]

PUBLISHED_STORE = Path("published") / "store.duckdb"
Switch = Callable[[Mapping[str, Sequence[str]], tuple[str, str]], None]
"""Told the columns of every published table, by ``schema.table``, and the manifest's id and JSON."""

_PUBLISHED = {
    "core": "table_name like 'dim_%' or table_name in ('fct_order_lines', 'fct_refunds')",
    "marts": "true",
    "decisions": "true",
    "ops": "table_name in ('checks', 'table_grades', 'files', 'landing_checks', 'day_contents')",
    "quarantine": "true",
}
# When something happened on this machine is published and no part of the manifest's id.
_CLOCKED = {"landed_at"}


@dataclass(frozen=True)
class Publication:
    """What was published: the manifest's id, the manifest itself and the number of tables."""

    manifest_id: str
    manifest: dict[str, Any]
    tables_count: int


def publish_store(
    con: duckdb.DuckDBPyConnection,
    state_directory: Path,
    *,
    identity: dict[str, Any],
    run: dict[str, Any],
    switch: Switch = lambda tables, manifest: None,
) -> Publication:
    """Copy marts, decisions, dimensions and priced lines into a new file and put it in place of the old one.

    Personal data (columns the contract marks as such) stay behind in the warehouse.

    Parameters
    ----------
    con
        An open connection to the warehouse.
    state_directory
        The project's state folder; the store lies in its ``published`` folder.
    identity
        What the manifest's id is made of besides the tables: hashes of inputs, settings and code.
    run
        What the manifest also tells but its id does not depend on: run id, times.
    switch
        Called when the new file is complete, before it takes the old one's place: switches other readers, or raises.

    Notes
    -----
    The new file is complete and on disk before `os.replace`, so a reader sees the old store or the new one, and a
    kill at any moment leaves one of the two.
    """
    target = state_directory / PUBLISHED_STORE
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f"{target.name}.draft")
    for leftover in target.parent.glob(f"{draft.name}*"):
        leftover.unlink()
    # other tools read it: in the oldest format that the engine writes, whatever that of the warehouse is
    con.execute(f"attach {literal(str(draft))} as published (storage_version 'v1.0.0')")
    try:
        columns = _published_columns(con)
        tables = _copy_tables(con, columns)
        manifest = {**identity, "tables": tables}
        manifest_id = hashlib.sha256(json.dumps(manifest, sort_keys=True, default=str).encode()).hexdigest()[:16]
        told = {"manifest_id": manifest_id, **manifest, "run": run}
        entry = (manifest_id, json.dumps(told, sort_keys=True, default=str))
        con.execute("create table published.ops.manifest as select ? as manifest_id, ? as manifest_json", entry)
        con.execute("checkpoint published")
    finally:
        con.execute("detach published")
    with draft.open("rb+") as file:
        os.fsync(file.fileno())
    switch(columns, entry)
    draft.replace(target)
    return Publication(manifest_id, told, len(tables))


def _published_columns(con: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    private = {column.name for contract in contracts().values() for column in contract.columns if column.is_pii}
    found: dict[str, list[str]] = {}
    for schema, condition in _PUBLISHED.items():
        names = con.execute(
            "select table_name from information_schema.tables where table_catalog = current_database()"
            f" and table_schema = '{schema}' and ({condition}) order by table_name"
        ).fetchall()
        for (name,) in names:
            columns = [row[0] for row in con.execute(f"describe {schema}.{identifier(name)}").fetchall()]
            found[f"{schema}.{name}"] = [c for c in columns if name != "dim_customers" or c not in private]
    return found


def _copy_tables(con: duckdb.DuckDBPyConnection, columns: Mapping[str, list[str]]) -> dict[str, dict[str, Any]]:
    for schema in _PUBLISHED:
        con.execute(f"create schema if not exists published.{schema}")
    tables: dict[str, dict[str, Any]] = {}
    for relation, kept in columns.items():
        schema, _, name = relation.partition(".")
        table = f"{schema}.{identifier(name)}"
        con.execute(f"create table published.{table} as select {_listed(kept)} from {table}")
        hashed = _listed([column for column in kept if column not in _CLOCKED])
        rows, content = con.execute(f"select count(*), sum(hash({hashed}))::varchar from published.{table}").fetchall()[
            0
        ]
        tables[relation] = {"rows": rows, "content": content}
    return tables


def _listed(columns: list[str]) -> str:
    return ", ".join(map(identifier, columns))
