"""How a relation of the local file travels to a PostgreSQL server: each column's expression, its type there, its content."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader

from marginwise.connectors.canonical import identifier
from marginwise.contract.loader import Column, contracts
from marginwise.engine.dbt import project_directory
from marginwise.engine.postgres import COLLATION

if TYPE_CHECKING:
    import duckdb

__all__ = ["ServerColumn", "content_of", "server_columns", "travelling"]

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
class ServerColumn:
    """A column on its way to the server: its name, how DuckDB reads it, and its type on the server."""

    name: str
    expression: str
    kind: str


def server_columns(con: duckdb.DuckDBPyConnection, relation: str) -> list[ServerColumn]:
    """Return the columns that a relation has on the server; where a contract is known, in its types."""
    schema, _, table = relation.partition(".")
    contract = contracts().get(table) if schema == "landed" else None
    wanted = {column.name: column for column in contract.columns} if contract else {}
    described = con.execute(f"describe {schema}.{identifier(table)}").fetchall()
    return [column for name, kind, *_ in described for column in _contract_columns(name, kind, wanted.get(name))]


def _contract_columns(name: str, kind: str, wanted: Column | None) -> list[ServerColumn]:
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
        ServerColumn(name, reached, typed.kind),
        ServerColumn(
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


def _column(name: str, kind: str) -> ServerColumn:
    """Return how a column travels as it is; what the server has no type for travels as DuckDB writes it as text."""
    value = identifier(name)
    if kind == "TIMESTAMP WITH TIME ZONE":
        return ServerColumn(name, f"timezone('UTC', {value})", "timestamp")
    if _OTHER_TIMESTAMP.fullmatch(kind):
        return ServerColumn(name, f"cast({value} as timestamp)", "timestamp")
    if kind.startswith("DECIMAL") and not kind.endswith("[]"):
        return ServerColumn(name, value, kind.replace("DECIMAL", "numeric"))
    if kind in ("DATE", "TIMESTAMP"):
        return ServerColumn(name, _within_reach(value, kind), _TYPES[kind])
    if kind in _TYPES:
        return ServerColumn(name, value, _TYPES[kind])
    # the server's text takes no zero byte
    return ServerColumn(name, f"replace(cast({value} as varchar), chr(0), chr(65533))", _TEXT)


def _within_reach(value: str, kind: str) -> str:
    """Return a moment as the server can hold it: what lies beyond four-digit years stays beyond them."""
    last, first = f"{kind} '10000-01-01'", f"{kind} '0001-01-01'"
    return f"case when {value} > {last} then {last} when {value} < {first} then {first} else {value} end"


def travelling(relation: str, columns: list[ServerColumn]) -> str:
    """Return the query of a relation's rows as they travel."""
    schema, _, table = relation.partition(".")
    listed = ", ".join(f"{column.expression} as {identifier(column.name)}" for column in columns)
    return f"select {listed} from {schema}.{identifier(table)}"


def content_of(con: duckdb.DuckDBPyConnection, relation: str, columns: list[ServerColumn]) -> str:
    """Return what tells whether a relation's rows changed: their number and the sum of their hashes."""
    names = ", ".join(identifier(column.name) for column in columns)
    count, content = con.execute(
        f"select count(*), coalesce(cast(sum(hash({names})) as varchar), '') from ({travelling(relation, columns)})"
    ).fetchall()[0]
    return f"{count} {content}"
