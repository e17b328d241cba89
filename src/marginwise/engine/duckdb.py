"""Opens the embedded warehouse and writes what the settings declare into it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from marginwise.engine.channel_rules import read_channel_rules
from marginwise.engine.hindrances import hindrance
from marginwise.errors import BrokenStore
from marginwise.settings import Settings

__all__ = ["open_warehouse", "transaction", "write_declared"]


def open_warehouse(path: Path, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB file, created when it is not there.

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
        con = duckdb.connect(str(path), read_only=read_only)
    except duckdb.Error as error:
        raise hindrance(error, path.name) or BrokenStore(
            f"{path.name} cannot be opened: {str(error).splitlines()[0]}",
            fix=f"Move {path.name} away; the next `marginwise run` lands and builds it anew from the source files.",
        ) from error
    # the engine would draw its bar on standard output, where --json writes
    con.execute("set enable_progress_bar = false")
    return con


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
