"""Runs one store on both engines and tells where their tables differ."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from marginwise.engine.exchange import Exchange
from marginwise.engine.postgres import server_of
from marginwise.ops.pipeline import STAGES, run
from marginwise.settings import load_settings

__all__ = ["differences", "on_server", "run_on_both"]

_SERVER = '[warehouse]\nengine = "postgres"\nschema_prefix = "{prefix}"\nreaders = ["{reader}"]\n'


def on_server(project: Path, settings: str, *, prefix: str, reader: str = "analyst") -> Path:
    """Write a project with these settings that is built on the server."""
    project.mkdir()
    before = settings.partition("[warehouse]")[0]
    (project / "marginwise.toml").write_text(f"{before}\n{_SERVER.format(prefix=prefix, reader=reader)}")
    return project


def run_on_both(
    folder: Path, settings: str, *, prefix: str, reader: str = "analyst", stages: Sequence[str] = STAGES
) -> tuple[Path, Path]:
    """Run a store in its own file and on the server; return the two projects."""
    local = folder / "local"
    local.mkdir()
    (local / "marginwise.toml").write_text(settings)
    remote = on_server(folder / "remote", settings, prefix=prefix, reader=reader)
    for project in (local, remote):
        run(load_settings(project), stages)
    return local, remote


def differences(local: Path, remote: Path) -> list[str]:
    """Compare every table of core and marts, names, types and all rows, and return what differs in words."""
    con = duckdb.connect()
    Exchange(server_of(load_settings(remote), os.environ)).fetch(con, "core.*", "marts.*")
    con.execute(f"attach '{local / '.marginwise' / 'warehouse.duckdb'}' as warehouse (read_only)")
    listed = (
        "select concat(table_schema, '.', table_name) from information_schema.tables"
        " where table_catalog = '{}' and table_schema in ('core', 'marts')"
    )
    here, there = (
        {name for (name,) in con.execute(listed.format(catalog)).fetchall()} for catalog in ("warehouse", "memory")
    )
    assert len(here) > 20
    found = [f"{name} is on one engine alone" for name in sorted(here ^ there)]
    for name in sorted(here & there):
        found += _table_differences(con, name)
    con.close()
    return found


def _table_differences(con: duckdb.DuckDBPyConnection, name: str) -> list[str]:
    shapes = [
        {column: kind for column, kind, *_ in con.execute(f"describe {catalog}.{name}").fetchall()}
        for catalog in ("warehouse", "memory")
    ]
    if shapes[0] != shapes[1]:
        return [f"{name}: {sorted(shapes[0].items() ^ shapes[1].items())}"]
    columns = {column: _comparable(column, kind) for column, kind in shapes[0].items()}
    listed = ", ".join(columns.values())
    one, other = (f"select {listed} from {catalog}.{name}" for catalog in ("warehouse", "memory"))
    if not (rows := _count(con, f"({one} except all {other}) union all ({other} except all {one})")):
        return []
    bad = [
        column
        for column, value in columns.items()
        if _count(con, f"select {value} from warehouse.{name} except all select {value} from memory.{name}")
    ]
    return [f"{name}: {rows} rows differ, in {bad}"]


def _comparable(column: str, kind: str) -> str:
    """Return how a column is compared: rates to nine digits, all else exactly."""
    return f'round("{column}", 9)' if kind == "DOUBLE" else f'"{column}"'


def _count(con: duckdb.DuckDBPyConnection, query: str) -> Any:
    return con.execute(f"select count(*) from ({query})").fetchall()[0][0]
