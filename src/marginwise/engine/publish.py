"""Writes the read-only store that readers see, and switches to it in one atomic step."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from marginwise.connectors.canonical import identifier, literal
from marginwise.contract.loader import contracts

__all__ = ["PUBLISHED_STORE", "Publication", "publish_store"]

PUBLISHED_STORE = Path("published") / "store.duckdb"

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
    con: duckdb.DuckDBPyConnection, state_directory: Path, *, identity: dict[str, Any], run: dict[str, Any]
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
    con.execute(f"attach {literal(str(draft))} as published")
    try:
        tables = _copy_tables(con)
        manifest = {**identity, "tables": tables}
        manifest_id = hashlib.sha256(json.dumps(manifest, sort_keys=True, default=str).encode()).hexdigest()[:16]
        told = {"manifest_id": manifest_id, **manifest, "run": run}
        con.execute("create table published.ops.manifest as select ? as manifest_id, ? as manifest_json",
                    [manifest_id, json.dumps(told, sort_keys=True, default=str)])  # fmt: skip
        con.execute("checkpoint published")
    finally:
        con.execute("detach published")
    with draft.open("rb+") as file:
        os.fsync(file.fileno())
    draft.replace(target)
    return Publication(manifest_id, told, len(tables))


def _copy_tables(con: duckdb.DuckDBPyConnection) -> dict[str, dict[str, Any]]:
    private = {column.name for contract in contracts().values() for column in contract.columns if column.is_pii}
    tables: dict[str, dict[str, Any]] = {}
    for schema, condition in _PUBLISHED.items():
        names = con.execute(
            "select table_name from information_schema.tables where table_catalog = current_database()"
            f" and table_schema = '{schema}' and ({condition}) order by table_name"
        ).fetchall()
        con.execute(f"create schema if not exists published.{schema}")
        for (name,) in names:
            table = f"{schema}.{identifier(name)}"
            columns = [row[0] for row in con.execute(f"describe {table}").fetchall()]
            kept = [column for column in columns if name != "dim_customers" or column not in private]
            con.execute(f"create table published.{table} as select {_listed(kept)} from {table}")
            hashed = _listed([column for column in kept if column not in _CLOCKED])
            rows, content = con.execute(
                f"select count(*), sum(hash({hashed}))::varchar from published.{table}"
            ).fetchall()[0]
            tables[f"{schema}.{name}"] = {"rows": rows, "content": content}
    return tables


def _listed(columns: list[str]) -> str:
    return ", ".join(map(identifier, columns))
