"""Opens the embedded warehouse and writes what the settings declare into it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import duckdb

from marginwise.engine.channel_rules import read_channel_rules
from marginwise.engine.hindrances import hindrance
from marginwise.errors import BrokenStore
from marginwise.settings import Settings, WarehouseSettings

__all__ = ["FILE_FORMAT", "engine_options", "join_small_parts", "let_go_of_memory", "open_warehouse", "options_for_few_rows",
           "take_all_options", "transaction", "write_declared"]  # fmt: skip

_UNITS = ("B", "KB", "MB", "GB", "TB")
_MARK_OF_AN_OWNER = "_owner"
"""How the name of the file ends by which DuckDB 2 tells its overflow apart from that of others."""
_ENOUGH_FOR_FEW_ROWS = 500e6
_WORTH_LETTING_GO = 500e6
_LEFT_IN_MEMORY = "50MB"
"""What the engine needs for itself fits into it."""
FILE_FORMAT = {"storage_compatibility_version": "v1.5.0"}
"""The format of a new file: of the oldest engine that is supported, not of the oldest that there ever was."""


def engine_options(warehouse: WarehouseSettings) -> dict[str, str]:
    """Return how the engine works, by the names of its own options.

    Memory is what the settings declare, or what the engine would take by itself where that is less (most of what the
    machine, or the container, has); threads, as many as there are cores that the process may use. What a run adds to a table
    stays a part of its own until `join_small_parts`: to join it with the parts before it, whenever what was written goes to its
    place, would write up to three full ones anew for some hundred rows.

    Examples
    --------
    >>> engine_options(WarehouseSettings(memory_limit="64MB", threads=3))
    {'memory_limit': '64MB', 'threads': '3', 'max_vacuum_tasks': '0'}
    """
    memory, threads = _taken_by_itself()
    declared = warehouse.memory_limit
    return {
        "memory_limit": min(declared, memory, key=_bytes),
        "threads": str(warehouse.threads or threads),
        "max_vacuum_tasks": "0",
    }


def options_for_few_rows(options: Mapping[str, str], models_at_once: int = 1) -> dict[str, str]:
    """Return how the engine works in a run that exchanges rows and keeps the rest, by the names of its own options.

    It writes many tables into their places once, at its end, not whenever its log has grown. Most of what it reads it reads
    once, and to keep that in memory costs more than it spares (a page of a machine's memory is emptied before it is given
    out, one that is there is read into again): it takes a fifth, but not below 500 MB. What needs more than the whole of
    it beside that, on disk, is not few rows. Each of the models that are built at once brings a thread that works too, and the engine
    counts one of these among its own: the others are taken off, since more threads than cores wait for each other at every small step.

    Parameters
    ----------
    options
        See `engine_options`; without them the engine takes what it likes.
    models_at_once
        How many models are built at once.

    Examples
    --------
    >>> options_for_few_rows({"memory_limit": "10GB", "threads": "4"}, models_at_once=2)
    {'checkpoint_threshold': '1GB', 'threads': '3', 'memory_limit': '2000000000B', 'max_temp_directory_size': '10000000000B'}
    >>> options_for_few_rows({"memory_limit": "64MB", "threads": "1"})["memory_limit"]
    '64000000B'
    """
    suited = {"checkpoint_threshold": "1GB"}
    if options:
        suited["threads"] = str(max(1, int(options["threads"]) - models_at_once + 1))
        memory = _bytes(options["memory_limit"])
        suited["memory_limit"] = f"{min(memory, max(memory / 5, _ENOUGH_FOR_FEW_ROWS)):.0f}B"
        suited["max_temp_directory_size"] = f"{memory:.0f}B"
    return suited


def take_all_options(con: duckdb.DuckDBPyConnection, options: Mapping[str, str]) -> None:
    """Let the engine work as `engine_options` say, whatever a run over few rows has set."""
    for name in options_for_few_rows(options):
        con.execute(f"reset global {name}")
    for name, value in options.items():
        con.execute(f"set global {name} = '{value}'")


def let_go_of_memory(con: duckdb.DuckDBPyConnection) -> None:
    """Let the engine keep hardly anything in memory of what it has read and written, where that is much: others need it now.

    What is written goes to its place first, or it would be written to the overflow as well. The limit of memory is then to be set anew,
    see `take_all_options`.
    """
    held = con.execute("select sum(memory_usage_bytes) from duckdb_memory()").fetchall()[0][0]
    if held > _WORTH_LETTING_GO:
        with suppress(duckdb.TransactionException, duckdb.OutOfMemoryException):  # what is in use stays
            con.execute("checkpoint")
            con.execute(f"set global memory_limit = '{_LEFT_IN_MEMORY}'")


def join_small_parts(con: duckdb.DuckDBPyConnection) -> None:
    """Join small parts of the tables (row groups), and drop what was deleted there."""
    con.execute("reset global max_vacuum_tasks")
    with suppress(duckdb.TransactionException):  # of another connection; the next time joins them
        con.execute("checkpoint")


@cache
def _taken_by_itself() -> tuple[str, int]:
    """Return the memory and the threads that are taken of this machine where nothing is declared.

    The engine counts all cores; of those that this process may not use, threads would only stand in each other's way.
    """
    with duckdb.connect(":memory:") as con:
        row = con.execute("select current_setting('memory_limit'), current_setting('threads')").fetchall()[0]
    threads = int(row[1])
    return str(row[0]), min(threads, len(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else threads


def _bytes(amount: str) -> float:
    """Return how much '4GB' or '3.7 GiB' is."""
    number, unit = re.fullmatch(r"([0-9.]+) ?([A-Za-z]+)", amount).groups()  # type: ignore[union-attr]
    base = 1024 if "i" in unit else 1000
    return float(number) * float(base ** _UNITS.index(unit.replace("i", "").replace("bytes", "B")))


def open_warehouse(
    path: Path, *, read_only: bool = False, options: Mapping[str, str] | None = None
) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB file, created when it is not there.

    What a killed run has left beside it, of what did not fit into memory, is removed.

    Parameters
    ----------
    path
        The file.
    read_only
        Only read it.
    options
        See `engine_options`; without them the engine takes what it likes.

    Raises
    ------
    StoreBusy
        When another process holds it.
    DiskFull, NotWritable
        When it cannot be written.
    BrokenStore
        When the file is no DuckDB file, is damaged, or was written by a newer version.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        if not read_only and not path.exists():  # the others, dbt among them, open it with options of their own
            duckdb.connect(str(path), config=dict(FILE_FORMAT)).close()
        con = duckdb.connect(str(path), read_only=read_only, config=dict(options or {}))
    except duckdb.Error as error:
        raise hindrance(error, path.name) or BrokenStore(
            f"{path.name} cannot be opened: {str(error).splitlines()[0]}",
            fix=f"Move {path.name} away; the next `marginwise run` lands and builds it anew from the source files.",
        ) from error
    # the engine would draw its bar on standard output, where --json writes
    con.execute("set enable_progress_bar = false")
    # dbt turns it off, for all who have the file open in this process
    con.execute("reset preserve_insertion_order")
    if not read_only:
        _remove_leftovers(con, path)
    return con


def _remove_leftovers(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Remove the files of the engine's overflow folder that are not in use: only its writer, which is this one, has any.

    The folder stays: the engine makes it once, and others in this process may have the file open.
    """
    folder = path.with_name(f"{path.name}.tmp")
    if not folder.is_dir():
        return
    used = {Path(name).name for (name,) in con.execute("select path from duckdb_temporary_files()").fetchall()}
    for leftover in folder.glob("duckdb_temp_*"):
        if leftover.name not in used and not leftover.name.endswith(_MARK_OF_AN_OWNER):
            leftover.unlink(missing_ok=True)


@contextmanager
def transaction(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Make what a block writes stand wholly or, when anything is raised in it, not at all.

    Parameters
    ----------
    con
        A connection with no transaction in progress; it is free for the next one afterwards, however the block ended.
    """
    con.begin()
    try:
        yield
    except BaseException:
        con.rollback()
        raise
    con.commit()


def write_declared(con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Write assumed rates, assumed spend and the store's own channel rules to the `ops` schema.

    Raises
    ------
    MissingFile, BadSettings
        When the channel rules file is not there or holds what is no rule.
    """
    own = settings.channels.rules
    rules = read_channel_rules(con, settings.directory / own) if own is not None else []
    with transaction(con):
        con.execute("create schema if not exists ops")
        con.execute("create or replace table ops.assumed_rates (kind varchar, scope varchar, rate double)")
        con.execute(
            "create or replace table ops.assumed_spend (channel varchar, campaign varchar, date_from date, date_to date,"
            " amount decimal(18, 4), currency varchar)"
        )
        con.execute(
            "create or replace table ops.channel_rules (priority integer, source_pattern varchar, medium_pattern varchar,"
            " campaign_pattern varchar, paid_required varchar, channel_name varchar)"
        )
        rates = settings.assumptions.rates()
        if rates:
            con.executemany("insert into ops.assumed_rates values (?, ?, ?)", rates)
        spend = [
            (row.channel, row.campaign, row.from_, row.to, row.amount, settings.store.currency)
            for row in settings.assumptions.spend
        ]
        if spend:
            con.executemany("insert into ops.assumed_spend values (?, ?, ?, ?, ?, ?)", spend)
        if rules:
            con.executemany("insert into ops.channel_rules values (?, ?, ?, ?, ?, ?)", rules)
