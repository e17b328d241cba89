"""Moves tables between the project's own DuckDB file and the PostgreSQL server that a store is built on.

Files land in the local file whatever the engine, and mappings are evaluated there. On PostgreSQL what dbt reads is then
loaded into the server, and what later stages and readers need is fetched back, with the types it has on DuckDB.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import yaml
from jinja2 import Environment, FileSystemLoader

from marginwise.connectors.canonical import identifier
from marginwise.contract.loader import Column, contracts
from marginwise.engine.dbt import project_directory
from marginwise.engine.postgres import COLLATION, PostgresServer, rows

if TYPE_CHECKING:
    import duckdb

__all__ = ["Exchange"]

_SOURCES = ("landed", "ops", "raw")
_BATCH_ROWS = 65_536
_TEXT = f'text collate "{COLLATION}"'
_TYPES = {
    "BOOLEAN": "boolean", "TINYINT": "smallint", "UTINYINT": "smallint", "SMALLINT": "smallint", "USMALLINT": "integer",
    "INTEGER": "integer", "UINTEGER": "bigint", "BIGINT": "bigint", "FLOAT": "real", "DOUBLE": "double precision",
    "DATE": "date", "TIMESTAMP": "timestamp", "VARCHAR[]": "text[]", "DOUBLE[]": "double precision[]",
}  # fmt: skip
_OTHER_TIMESTAMP = re.compile(r"TIMESTAMP_(S|MS|NS)")
_MOMENTS = ("DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS")
# types of a source whose every value fits the contract's
_SAFE = {
    "integer": ("TINYINT", "UTINYINT", "SMALLINT", "USMALLINT", "INTEGER", "UINTEGER", "BIGINT"),
    "timestamp": _MOMENTS, "date": _MOMENTS, "boolean": ("BOOLEAN",),
}  # fmt: skip


@dataclass(frozen=True)
class _Column:
    """A column on its way to the server: its name, how DuckDB reads it, and its type on the server."""

    name: str
    expression: str
    kind: str


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

    def load(self, con: duckdb.DuckDBPyConnection, schemas: Sequence[str] = _SOURCES) -> list[str]:
        """Load what dbt reads into the server: relations whose content changed, all in one transaction.

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
        """
        if self.server is None:
            return []
        names = [name for name in _sources() if name.partition(".")[0] in schemas]
        with self.server.connected() as server:
            self._run(server, [f"create schema if not exists {self._built(s)}" for s in _SOURCES])
            self._run(server, [f"create table if not exists {self._built('ops.loaded_contents')} (relation text, content text)"])  # fmt: skip
            known = dict(rows(server, f"select relation, content from {self._built('ops.loaded_contents')}"))
            changed = []
            for name in names:
                columns = _columns(con, name)
                content = _content(con, name, columns)
                if known.get(name) != content or not self._columns_of(server, self._built(name)):
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
                wanted = ", ".join(f'cast({identifier(c)} as text)' if k.startswith("numeric") else identifier(c)
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
                self._send(server, con, name, _columns(con, name))
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

    def _send(self, server: Any, con: duckdb.DuckDBPyConnection, name: str, columns: list[_Column]) -> None:
        schema, _, table = name.partition(".")
        declared = ", ".join(f"{identifier(column.name)} {column.kind}" for column in columns)
        target = f"{self._built(schema)}.{identifier(table)}"
        self._run(server, [f"drop table if exists {target} cascade", f"create table {target} ({declared})"])
        batches = con.sql(_selected(name, columns)).to_arrow_reader(_BATCH_ROWS)
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


@cache
def _sources() -> list[str]:
    """Return every source that the dbt project declares, such as ``landed.orders``."""
    documents = [yaml.safe_load(path.read_text("utf-8")) for path in project_directory().glob("models/**/*sources.yml")]
    declared = [source for document in documents for source in document["sources"]]
    return [f"{source['name']}.{table['name']}" for source in declared for table in source["tables"]]


def _columns(con: duckdb.DuckDBPyConnection, relation: str) -> list[_Column]:
    schema, _, table = relation.partition(".")
    contract = contracts().get(table) if schema == "landed" else None
    wanted = {column.name: column for column in contract.columns} if contract else {}
    described = con.execute(f"describe {schema}.{identifier(table)}").fetchall()
    return [column for name, kind, *_ in described for column in _contract_columns(name, kind, wanted.get(name))]


def _contract_columns(name: str, kind: str, wanted: Column | None) -> list[_Column]:
    """Return how a column travels: one that may not fit its contract gets its type here, beside the text that does not."""
    if (
        wanted is None
        or wanted.type == "text"
        or kind in _SAFE.get(wanted.type, (wanted.sql_type.upper().replace(" ", ""),))
    ):
        return [_column(name, "VARCHAR" if wanted and wanted.type == "text" else kind)]
    value = identifier(name)
    text = f"nullif({value}, '')" if kind == "VARCHAR" else f"cast({value} as varchar)"
    given = value if kind != "VARCHAR" and wanted.type in ("decimal", "integer") else text
    fitted = f"({_macros().duckdb__fitting(given, wanted.sql_type)})"
    typed = _column(name, wanted.sql_type.upper().replace(" ", ""))
    refused = _column(f"_given_{name}", "VARCHAR")
    reached = _within_reach(fitted, typed.kind.upper()) if wanted.type in ("date", "timestamp") else fitted
    return [
        _Column(name, reached, typed.kind),
        _Column(
            refused.name,
            refused.expression.replace(identifier(refused.name), f"case when {fitted} is null then {text} end"),
            refused.kind,
        ),
    ]


@cache
def _macros() -> Any:
    """Return the macros that say what differs between engines, to be called from here."""
    templates = Environment(loader=FileSystemLoader(project_directory() / "macros"), autoescape=False)  # noqa: S701
    return templates.get_template("engine.sql").module


def _column(name: str, kind: str) -> _Column:
    """Return how a column travels as it is; what the server has no type for travels as DuckDB writes it as text."""
    value = identifier(name)
    if kind == "TIMESTAMP WITH TIME ZONE":
        return _Column(name, f"timezone('UTC', {value})", "timestamp")
    if _OTHER_TIMESTAMP.fullmatch(kind):
        return _Column(name, f"cast({value} as timestamp)", "timestamp")
    if kind.startswith("DECIMAL") and not kind.endswith("[]"):
        return _Column(name, value, kind.replace("DECIMAL", "numeric"))
    if kind in ("DATE", "TIMESTAMP"):
        return _Column(name, _within_reach(value, kind), _TYPES[kind])
    if kind in _TYPES:
        return _Column(name, value, _TYPES[kind])
    # the server's text takes no zero byte
    return _Column(name, f"replace(cast({value} as varchar), chr(0), chr(65533))", _TEXT)


def _within_reach(value: str, kind: str) -> str:
    """Return a moment as the server can hold it: what lies beyond four-digit years stays beyond them."""
    last, first = f"{kind} '10000-01-01'", f"{kind} '0001-01-01'"
    return f"case when {value} > {last} then {last} when {value} < {first} then {first} else {value} end"


def _selected(relation: str, columns: list[_Column]) -> str:
    schema, _, table = relation.partition(".")
    listed = ", ".join(f"{column.expression} as {identifier(column.name)}" for column in columns)
    return f"select {listed} from {schema}.{identifier(table)}"


def _content(con: duckdb.DuckDBPyConnection, relation: str, columns: list[_Column]) -> str:
    """Return what tells whether a relation changed: its columns, its number of rows and the sum of their hashes."""
    names = ", ".join(identifier(column.name) for column in columns)
    count, content = con.execute(
        f"select count(*), coalesce(cast(sum(hash({names})) as varchar), '') from ({_selected(relation, columns)})"
    ).fetchall()[0]
    kinds = ", ".join(f"{column.name} {column.kind}" for column in columns)
    return f"{count} {content} {kinds}".replace("'", "''")


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
