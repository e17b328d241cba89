"""Small demo stores whose files arrive bit by bit, and what of a published store must not depend on how it came about."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from marginwise.demo.knobs import Knobs
from marginwise.engine.publish import PUBLISHED_STORE
from marginwise.ops.pipeline import STAGES
from marginwise.ops.pipeline import run as run_stages
from marginwise.ops.projects import create_demo
from marginwise.settings import Settings, load_settings
from tests.shell import BIN, environment

Content = dict[str, Any]
_CLOCKED = ("landed_at",)


def small_store(folder: Path, *, drops: int = 0, **knobs: Any) -> Path:
    """Write a demo store of a few hundred orders; its drops wait beside it and arrive when a test says so."""
    chosen = {"orders": 120, "days": 200, "visits_per_order": 2.0, "late_rate": 0.3, "corrected_rate": 0.2, **knobs}
    create_demo(folder, Knobs(drops=drops, **chosen))
    if drops:
        shutil.move(folder / "data" / "drops", waiting(folder))
    return folder


def waiting(store: Path) -> Path:
    """Return the folder of the files that have not arrived yet, one folder a day."""
    return store.with_name(f"{store.name}-drops")


def arrive(store: Path, *files: Path) -> None:
    """Let files arrive in the store's data folder."""
    for file in files:
        shutil.copy(file, store / "data" / file.name)


def waiting_days(store: Path) -> list[list[Path]]:
    """Return the waiting files, day by day."""
    return [sorted(day.iterdir()) for day in sorted(waiting(store).iterdir())]


def settings_of(store: Path) -> Settings:
    return load_settings(store)


def run_here(store: Path, *stages: str) -> None:
    """Run stages (default all) in this process, which has paid for the imports of dbt already."""
    run_stages(load_settings(store), stages or STAGES)


def begin_run(store: Path, *arguments: str) -> subprocess.Popen[str]:
    """Begin `marginwise run` as a process of its own."""
    return subprocess.Popen(
        [str(BIN / "marginwise"), "run", "-p", str(store), *arguments],
        cwd=store, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def published(store: Path) -> Content:
    """Return what readers see: rows and hash of every table, load columns aside, and the manifest's id."""
    con = duckdb.connect(str(store / ".marginwise" / PUBLISHED_STORE), read_only=True)
    try:
        return {**contents(con, "core", "marts", "decisions", "quarantine", "ops"),
                "manifest": con.execute("select manifest_id from ops.manifest").fetchall()}  # fmt: skip
    finally:
        con.close()


def built(store: Path, *schemas: str) -> Content:
    """Return rows and hash of every table of the build file's schemas, load columns aside."""
    con = duckdb.connect(str(store / ".marginwise" / "warehouse.duckdb"), read_only=True)
    try:
        return contents(con, *schemas)
    finally:
        con.close()


def contents(con: duckdb.DuckDBPyConnection, *schemas: str, without: Sequence[str] = ()) -> Content:
    """Return rows and a hash, whatever their order, of every table of the schemas.

    Columns with `_` before are left out, and those named.
    """
    tables = con.execute(
        "select schema_name, table_name, list(column_name order by column_index) from duckdb_columns()"
        " where database_name = current_database() and list_contains(?, schema_name) and table_name <> 'manifest'"
        " and column_name[1] <> '_' and not list_contains(?, column_name) group by all order by all",
        [list(schemas), [*_CLOCKED, *without]],
    ).fetchall()
    found: Content = {}
    for schema, table, columns in tables:
        listed = ", ".join(f'"{column}"' for column in columns)
        found[f"{schema}.{table}"] = con.execute(
            f'select count(*), sum(hash({listed}))::varchar from {schema}."{table}"'
        ).fetchone()
    return found


def differing(one: Content, other: Content) -> list[str]:
    """Return the names of what differs between two stores."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
