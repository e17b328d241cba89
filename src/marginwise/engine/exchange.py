"""Moves tables between the project's own DuckDB file and the PostgreSQL server that a store is built on.

Files land in the local file whatever the engine, and mappings are evaluated there. On PostgreSQL what dbt reads is then
loaded into the server, and what later stages and readers need is fetched back, with the types it has on DuckDB.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import yaml

from marginwise.connectors.canonical import identifier, literal
from marginwise.engine.dbt import project_directory
from marginwise.engine.duckdb import transaction
from marginwise.engine.hindrances import fails_on_a_value, is_of_a_value
from marginwise.engine.postgres import PostgresServer, rows
from marginwise.engine.server_columns import ServerColumn, content_of, server_columns, travelling

if TYPE_CHECKING:
    import duckdb

__all__ = ["Exchange"]

_SOURCES = ("landed", "ops", "raw")
_BATCH_ROWS = 65_536
_FILE = "_raw_table, _file_hash, _file_date, _landed_date"


class Exchange:
    """The way between a local file and a server; where there is no server, nothing has to be moved.

    Parameters
    ----------
    server
        The server that the store is built on, or None where it is built in the local file.
    """

    def __init__(self, server: PostgresServer | None) -> None:
        self.server = server

    def require(self) -> None:
        """See that the server can be used, before any work is done.

        Raises
        ------
        ServerUnreachable, UnfitServer
            When it cannot.
        """
        if self.server is not None:
            self.server.examine()

    def engine(self) -> str:
        """Return what builds the warehouse, and its version."""
        local = f"duckdb {version('duckdb')}"
        return local if self.server is None else f"{self.server.version()}, {local}"

    def target(self) -> str:
        """Return where the warehouse is built, in words that hold no secret."""
        return "here" if self.server is None else f"{self.server.database()}, {self.server.build_prefix}"

    def forget_changes(self, con: duckdb.DuckDBPyConnection) -> None:
        """Forget which rows of kept models came and went, now that a whole build has passed."""
        listed = "select table_name from information_schema.tables where table_schema = '{}' order by 1"
        if self.server is None:
            names = [name for (name,) in con.execute(listed.format("changed")).fetchall()]
            with transaction(con):
                for name in names:
                    con.execute(f"delete from changed.{identifier(name)}")
            return
        with self.server.connected() as server:
            schema = self._built("changed")
            self._run(server, [
                f"truncate {schema}.{identifier(name)}"
                for (name,) in rows(server, listed.format(schema))
            ])  # fmt: skip
            server.commit()

    def load(self, con: duckdb.DuckDBPyConnection, schemas: Sequence[str] = _SOURCES) -> list[str]:
        """Load what dbt reads into the server: relations whose content changed, all in one transaction.

        Of a landed table whose rows each come of one file, only the rows of files that came are sent, and those of files
        that are gone are deleted.

        Parameters
        ----------
        con
            The local file.
        schemas
            Which schemas of the dbt project's sources to look at; by default all.

        Returns
        -------
        list of str
            The relations that were loaded.

        Raises
        ------
        BadMapping
            When an expression of a mapping fails on a value.
        """
        if self.server is None:
            return []
        names = [name for name in _sources() if name.partition(".")[0] in schemas]
        with self.server.connected() as server:
            self._run(server, [f"create schema if not exists {self._built(s)}" for s in _SOURCES])
            self._run(server, [f"create table if not exists {self._built('ops.loaded_contents')} (relation text, content text)"])  # fmt: skip
            known = dict(rows(server, f"select relation, content from {self._built('ops.loaded_contents')}"))
            landed = _landed_versions(con)
            changed = []
            for name in names:
                columns = server_columns(con, name)
                with _reckoned(name):
                    shape, version = landed[name] if name in landed else (None, content_of(con, name, columns))
                content = f"{shape or ''} {_kinds(columns)} {version}".strip().replace("'", "''")
                before = known.get(name)
                if before != content or not self._columns_of(server, self._built(name)):
                    with _reckoned(name):
                        if shape and before and before.startswith(f"{shape} {_kinds(columns)} "):
                            self._exchange_files(server, con, name, columns)
                        else:
                            self._send(server, con, name, columns)
                    self._run(server, [
                        f"delete from {self._built('ops.loaded_contents')} where relation = '{name}'",
                        f"insert into {self._built('ops.loaded_contents')} values ('{name}', '{content}')",
                    ])  # fmt: skip
                    changed.append(name)
            server.commit()
        return changed

    def fetch(self, con: duckdb.DuckDBPyConnection, *relations: str) -> None:
        """Bring relations, named by patterns such as ``marts.*``, from the server into the local file."""
        if self.server is None:
            return
        with self.server.connected() as server:
            for name in self._named(server, con, relations):
                columns = self._columns_of(server, self._built(name))
                wanted = ", ".join(f'cast({identifier(c)} as text)' if k.startswith(("numeric", "uuid")) else identifier(c)
                                   for c, k in columns.items())  # fmt: skip
                typed = ", ".join(f"cast(#{number} as {_local_type(kind)}) as {identifier(column)}"
                                  for number, (column, kind) in enumerate(columns.items(), start=1))  # fmt: skip
                with server.cursor() as cursor:
                    cursor.execute(f"select {wanted} from {self._built(name)}")
                    _replace(con, name, f"select {typed} from incoming", cursor.fetch_record_batch())

    def push(self, con: duckdb.DuckDBPyConnection, *relations: str) -> None:
        """Bring relations that Python wrote into the local file, named by patterns, to the server."""
        if self.server is None:
            return
        with self.server.connected() as server:
            for name in _local_names(con, relations):
                self._run(server, [f"create schema if not exists {self._built(name.partition('.')[0])}"])
                self._send(server, con, name, server_columns(con, name))
            server.commit()

    def forget(self, con: duckdb.DuckDBPyConnection, schema: str) -> None:
        """Drop the local copy of a schema that is needed no more."""
        if self.server is not None:
            con.execute(f"drop schema if exists {schema} cascade")

    def switch(self, published: Mapping[str, Sequence[str]], manifest: tuple[str, str], readers: Sequence[str]) -> None:
        """Give readers of the server what was built: copies of the published tables under the schemas they read.

        All of it is one transaction, so that a reader sees the store of before or the new one.

        Parameters
        ----------
        published
            The columns of every published table, by ``schema.table``.
        manifest
            The manifest's id and its JSON.
        readers
            The roles that may read.
        """
        if self.server is None:
            return
        prefix = self.server.schema_prefix
        schemas = sorted({name.partition(".")[0] for name in published})
        with self.server.connected() as server:
            self._run(server, [
                statement for schema in schemas
                for statement in (f"drop schema if exists {prefix}next_{schema} cascade", f"create schema {prefix}next_{schema}")
            ])  # fmt: skip
            for name, columns in published.items():
                schema, _, table = name.partition(".")
                self._run(server, [f"create table {prefix}next_{schema}.{identifier(table)} as select"
                                   f" {', '.join(map(identifier, columns))} from {self._built(name)}"])  # fmt: skip
            self._run(server, [f"create table {prefix}next_ops.manifest (manifest_id text, manifest_json text)"])
            with server.cursor() as cursor:
                cursor.execute(f"insert into {prefix}next_ops.manifest values ($1, $2)", manifest)
            for schema in schemas:
                self._run(server, [
                    f"drop schema if exists {prefix}{schema} cascade",
                    f"alter schema {prefix}next_{schema} rename to {prefix}{schema}",
                    *(f"grant usage on schema {prefix}{schema} to {identifier(role)}" for role in readers),
                    *(f"grant select on all tables in schema {prefix}{schema} to {identifier(role)}" for role in readers),
                ])  # fmt: skip
            server.commit()

    def _built(self, name: str) -> str:
        """Return the name under which a schema or relation is built on the server."""
        assert self.server is not None
        return f"{self.server.build_prefix}{name}"

    def _send(self, server: Any, con: duckdb.DuckDBPyConnection, name: str, columns: list[ServerColumn]) -> None:
        schema, _, table = name.partition(".")
        declared = ", ".join(f"{identifier(column.name)} {column.kind}" for column in columns)
        target = f"{self._built(schema)}.{identifier(table)}"
        self._run(server, [f"drop table if exists {target} cascade", f"create table {target} ({declared})"])
        batches = con.sql(travelling(name, columns)).to_arrow_reader(_BATCH_ROWS)
        with server.cursor() as cursor:
            cursor.adbc_ingest(table, batches, mode="append", db_schema_name=self._built(schema))
        self._run(server, [f"analyze {target}"])

    def _exchange_files(
        self, server: Any, con: duckdb.DuckDBPyConnection, name: str, columns: list[ServerColumn]
    ) -> None:
        schema, _, table = name.partition(".")
        target = f"{self._built(schema)}.{identifier(table)}"
        there = set(rows(server, f"select distinct {_FILE} from {target}"))
        here = set(con.execute(f"select distinct {_FILE} from {schema}.{identifier(table)}").fetchall())
        for raw_table, file_hash, day, landed in there - here:
            is_dated = "_file_date is null" if day is None else f"_file_date = date '{day}'"
            self._run(server, [
                f"delete from {target} where _raw_table = {literal(raw_table)} and _file_hash = {literal(file_hash)}"
                f" and {is_dated} and _landed_date = date '{landed}'"
            ])  # fmt: skip
        con.execute(
            "create or replace temp table files_come (raw_table varchar, file_hash varchar, day date, landed date)"
        )
        if here - there:
            con.executemany("insert into files_come values (?, ?, ?, ?)", sorted(here - there, key=str))
        batches = con.sql(
            f"{travelling(name, columns)} as sent where exists (from files_come as f where f.raw_table = sent._raw_table"
            " and f.file_hash = sent._file_hash and f.day is not distinct from sent._file_date"
            " and f.landed = sent._landed_date)"
        ).to_arrow_reader(_BATCH_ROWS)
        with server.cursor() as cursor:
            cursor.adbc_ingest(table, batches, mode="append", db_schema_name=self._built(schema))
        self._run(server, [f"analyze {target}"])

    def _named(self, server: Any, con: duckdb.DuckDBPyConnection, patterns: Sequence[str]) -> list[str]:
        """Return the server's relations that the patterns name; local ones that are no more on the server are dropped."""
        schemas = ", ".join(f"'{self._built(schema)}'" for schema in sorted({p.partition(".")[0] for p in patterns}))
        listed = "select concat(table_schema, '.', table_name) from information_schema.tables where table_schema in "
        there = [name.removeprefix(self._built("")) for (name,) in rows(server, f"{listed} ({schemas}) order by 1")]
        found = [name for name in there if any(fnmatchcase(name, pattern) for pattern in patterns)]
        for name in _local_names(con, patterns):
            if name not in there:
                _drop(con, name)
        return found

    @staticmethod
    def _columns_of(server: Any, relation: str) -> dict[str, str]:
        return dict(
            rows(
                server,
                "select cast(attname as text), format_type(atttypid, atttypmod) from pg_attribute"
                f" where attrelid = to_regclass('{relation}') and attnum > 0 and not attisdropped order by attnum",
            )
        )

    @staticmethod
    def _run(server: Any, statements: Sequence[str]) -> None:
        with server.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


@contextmanager
def _reckoned(name: str) -> Iterator[None]:
    """Tell of a mapping's expression that fails on a value: those of files that are read where they lie are reckoned here."""
    try:
        yield
    except Exception as error:  # the engine's own, or the driver's that reads of it
        schema, _, table = name.partition(".")
        if schema == "landed" and is_of_a_value(str(error)):
            raise fails_on_a_value(table, str(error)) from None
        raise


@cache
def _sources() -> list[str]:
    """Return every source that the dbt project declares, such as ``landed.orders``."""
    documents = [yaml.safe_load(path.read_text("utf-8")) for path in project_directory().glob("models/**/*sources.yml")]
    declared = [source for document in documents for source in document["sources"]]
    return [f"{source['name']}.{table['name']}" for source in declared for table in source["tables"]]


def _landed_versions(con: duckdb.DuckDBPyConnection) -> dict[str, tuple[str | None, str]]:
    """Return of every landed table what its rows look like, where each comes of one file, and a hash of all it is made of."""
    if not con.execute(
        "select 1 from duckdb_tables() where schema_name = 'ops' and table_name = 'landed_tables'"
    ).fetchall():
        return {}
    found = con.execute("select table_name, query_hash, version, is_by_row from ops.landed_tables").fetchall()
    return {f"landed.{table}": (query if is_by_row else None, version) for table, query, version, is_by_row in found}


def _kinds(columns: Sequence[ServerColumn]) -> str:
    return ", ".join(f"{column.name} {column.kind}" for column in columns)


def _local_type(kind: str) -> str:
    """Return the DuckDB type of a server's type, so that a fetched table is the one DuckDB would have built."""
    if kind == "numeric":
        return "decimal(38, 10)"
    return kind.replace("numeric", "decimal").replace(" without time zone", "").replace("character varying", "varchar")


def _local_names(con: duckdb.DuckDBPyConnection, patterns: Sequence[str]) -> list[str]:
    found = con.execute(
        "select concat(table_schema, '.', table_name) from information_schema.tables"
        " where table_catalog = current_database() order by 1"
    ).fetchall()
    return [name for (name,) in found if any(fnmatchcase(name, pattern) for pattern in patterns)]


def _drop(con: duckdb.DuckDBPyConnection, name: str) -> None:
    schema, _, table = name.partition(".")
    kinds = con.execute(
        "select table_type from information_schema.tables where table_catalog = current_database()"
        " and table_schema = ? and table_name = ?",
        [schema, table],
    ).fetchall()
    for (kind,) in kinds:
        con.execute(f"drop {'view' if kind == 'VIEW' else 'table'} {schema}.{identifier(table)}")


def _replace(con: duckdb.DuckDBPyConnection, name: str, query: str, incoming: Any) -> None:
    schema, _, table = name.partition(".")
    _drop(con, name)
    con.execute(f"create schema if not exists {schema}")
    con.register("incoming", incoming)
    try:
        con.execute(f"create table {schema}.{identifier(table)} as {query}")
    finally:
        con.unregister("incoming")
