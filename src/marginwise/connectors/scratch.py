"""Binds the SQL of mappings in an empty database that has the columns of the raw tables."""

from __future__ import annotations

from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, field
from functools import lru_cache

import duckdb

from marginwise.connectors.canonical import identifier
from marginwise.connectors.relation import FILES_TABLE

__all__ = ["Scratch"]


class Scratch:
    """An empty database in which queries are bound, not run.

    What a query yields rests on the columns alone. It is remembered for the process: a landing asks the same before the files land and
    again for the views over them. The database is opened only for what has not been asked before.
    """

    def __init__(self) -> None:
        self._statements: dict[str, str] = {}
        self._there: dict[str, str] = {}
        self._con: duckdb.DuckDBPyConnection | None = None

    def create(self, raw_table: str, columns: Dictionary[str, str]) -> None:
        """Give a raw table these columns (name: DuckDB type), whatever it had before."""
        listed = [f"{identifier(name)} {kind}" for name, kind in columns.items()]
        listed += ["_file_hash varchar", "_row_number bigint"]
        self._statements[raw_table] = f"create or replace table raw.{identifier(raw_table)} ({', '.join(listed)})"

    def types(self, query: str) -> dict[str, str]:
        """Return the columns of a query and their DuckDB types.

        Raises
        ------
        duckdb.Error
            When the query cannot be bound; this is not remembered.
        """
        return dict(_types(_Tables(frozenset(self._statements.values()), self), query))

    def close(self) -> None:
        """Close the database."""
        if self._con is not None:
            self._con.close()

    def described(self, query: str) -> list[tuple[str, str]]:
        """Return the columns of a query and their types as the engine tells them."""
        if self._con is None:
            self._con = duckdb.connect(":memory:")
            self._con.execute("create schema raw; create schema ops")
            self._con.execute(FILES_TABLE)
        for raw_table, statement in self._statements.items():
            if self._there.get(raw_table) != statement:
                self._con.execute(statement)
                self._there[raw_table] = statement
        return [(row[0], row[1]) for row in self._con.execute(f"describe {query}").fetchall()]


@dataclass(frozen=True)
class _Tables:
    """What there is to be asked, and who asks it where it has not been asked before."""

    statements: frozenset[str]
    scratch: Scratch = field(compare=False)


@lru_cache(maxsize=512)
def _types(tables: _Tables, query: str) -> list[tuple[str, str]]:
    return tables.scratch.described(query)
