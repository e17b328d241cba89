"""Opens the PostgreSQL server that the settings name, and says plainly when it cannot be used."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from marginwise.errors import BadSettings, MissingExtra, ServerUnreachable, UnfitServer, UnsetVariable
from marginwise.settings import Settings

__all__ = ["COLLATION", "PostgresServer", "server_of"]

COLLATION = "pg_c_utf8"
"""Text sorted by its bytes and lowered by Unicode, as DuckDB does it, whatever the database's own collation is."""

_OLDEST = 17
_PIP = "Use `pip install 'marginwise[postgres]'`."
# Whole tables are joined with whole tables: a nested loop is a misjudgement, and compiling a query costs more than it saves.
_PLANNING = "-c enable_nestloop=off -c jit=off"
# dbt keeps what begins with DBT_ENV_SECRET_ out of its messages
_LIBPQ_NAMES = {"dbname": "PGDATABASE", "application_name": "PGAPPNAME", "password": "DBT_ENV_SECRET_PGPASSWORD"}


@dataclass(frozen=True, repr=False)
class PostgresServer:
    """One database of one server, and the schemas of one store in it.

    Parameters
    ----------
    dsn
        The connection string; it is kept out of every message and representation.
    schema_prefix
        What the names of the store's schemas begin with.
    """

    dsn: str
    schema_prefix: str

    @property
    def build_prefix(self) -> str:
        """What the names of the schemas begin with in which a store is built; readers are given others."""
        return f"{self.schema_prefix}build_"

    def libpq_variables(self) -> dict[str, str]:
        """Return the connection as the environment variables that the profile and PostgreSQL's own library read."""
        parts = _parts(self.dsn)
        parts["options"] = f"{parts.get('options', '')} {_PLANNING}".strip()
        return {_LIBPQ_NAMES.get(name, f"PG{name.upper()}"): value for name, value in parts.items()}

    @contextmanager
    def connected(self) -> Iterator[Any]:
        """Open an ADBC connection for the length of a block: one transaction, committed where the block says so.

        Raises
        ------
        ServerUnreachable
            When the server does not answer or refuses the user or the database.
        UnfitServer
            When it refuses what is asked of it inside the block.
        """
        dbapi = _driver()
        _parts(self.dsn)
        try:
            connection = dbapi.connect(self.dsn)
        except dbapi.Error as error:
            raise ServerUnreachable(
                f"PostgreSQL cannot be reached: {_told(error)}",
                fix="Look at host, port, user and database of the connection string, and whether the server runs.",
            ) from None
        try:
            yield connection
        except dbapi.Error as error:
            raise UnfitServer(
                f"PostgreSQL refused a statement: {_told(error)}",
                fix="Look at the rights of the user and at the roles in warehouse.readers; `marginwise doctor` looks too.",
            ) from error
        finally:
            connection.close()

    def examine(self) -> str:
        """Return version and database in words.

        Raises
        ------
        ServerUnreachable
            When the server cannot be reached.
        UnfitServer
            When it is too old, keeps text in another encoding, or lets the user create no schema.
        """
        with self.connected() as connection:
            number, encoding, database, user, may_create = rows(
                connection,
                "select cast(current_setting('server_version_num') as integer), current_setting('server_encoding'),"
                " cast(current_database() as text), cast(current_user as text),"
                " has_database_privilege(current_database(), 'create')",
            )[0]
        version = f"{number // 10000}.{number % 10000}"
        if number // 10000 < _OLDEST:
            raise UnfitServer(f"PostgreSQL is {version}.", accepted=f"{_OLDEST} or newer")
        if encoding != "UTF8":
            raise UnfitServer(
                f"The database {database} keeps text as {encoding}.",
                accepted="UTF8",
                fix="Create one with `create database … encoding 'UTF8' template template0`.",
            )
        if not may_create:
            raise UnfitServer(
                f"The user {user} may create no schema in the database {database}.",
                fix=f"Let its owner run `grant create on database {database} to {user}`.",
            )
        return f"PostgreSQL {version}, database {database}"

    def version(self) -> str:
        """Return the name and the version of the server."""
        with self.connected() as connection:
            number = rows(connection, "select cast(current_setting('server_version_num') as integer)")[0][0]
        return f"postgres {number // 10000}.{number % 10000}"

    def database(self) -> str:
        """Return the name of the database that the connection leads to."""
        with self.connected() as connection:
            return str(rows(connection, "select cast(current_database() as text)")[0][0])


def server_of(settings: Settings, environment: Mapping[str, str] = os.environ) -> PostgresServer | None:
    """Return the server that a store is built on; None where it is built in its own DuckDB file.

    Parameters
    ----------
    settings
        The store's settings; they name the variable, never the connection itself.
    environment
        Where the variable is looked up.

    Raises
    ------
    UnsetVariable
        When the variable is not set.
    MissingExtra
        When the drivers are not installed.
    BadSettings
        When it holds no connection string.
    """
    warehouse = settings.warehouse
    if warehouse.engine != "postgres":
        return None
    dsn = environment.get(warehouse.dsn_variable, "")
    if not dsn:
        raise UnsetVariable(
            f"The environment variable {warehouse.dsn_variable} is not set; warehouse.dsn_variable names it.",
            accepted="a connection string such as postgresql://user@host:5432/database",
            fix=f'Set {warehouse.dsn_variable}, or take `engine = "postgres"` out of [warehouse].',
        )
    _driver()
    try:
        _parts(dsn)
    except BadSettings as error:
        raise BadSettings(f"{warehouse.dsn_variable}: {error.message}", accepted=error.accepted) from None
    return PostgresServer(dsn, warehouse.schema_prefix)


def rows(connection: Any, query: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    with connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


def _driver() -> Any:
    try:
        import_module("dbt.adapters.postgres")
        return import_module("adbc_driver_postgresql.dbapi")
    except ImportError as error:
        raise MissingExtra(f"PostgreSQL needs {error.name}, which is not installed.", fix=_PIP) from error


def _parts(dsn: str) -> dict[str, str]:
    """Return the parts of a connection string; what it says is told to nobody, since it may hold a password."""
    import psycopg2
    from psycopg2.extensions import parse_dsn

    try:
        return {name: str(value) for name, value in parse_dsn(dsn).items()}
    except psycopg2.Error:
        raise BadSettings(
            "This is no PostgreSQL connection string.", accepted="postgresql://user@host:5432/database"
        ) from None


def _told(error: Exception) -> str:
    """Return what the server said, without the driver's words around it and without the data it speaks of."""
    said = re.search(r"ERROR:\s*(.*)", str(error)) or re.search(r"Failed to connect: (.*)", str(error), re.DOTALL)
    return " ".join((said[1] if said else str(error)).split())
