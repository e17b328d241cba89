"""Compiles a mapping to SQL: raw tables in, one contract table out, every row with its file and number."""

from __future__ import annotations

import re
from collections.abc import Mapping as Dictionary
from itertools import count
from typing import TYPE_CHECKING

import duckdb

from marginwise.connectors.canonical import identifier, literal, utc
from marginwise.connectors.relation import active_rows, numbered_rows
from marginwise.connectors.scratch import Scratch
from marginwise.contract.loader import contracts
from marginwise.errors import BadMapping, UnknownColumn, nearest

if TYPE_CHECKING:
    from types import TracebackType

    from marginwise.connectors.mapping import Mapping, TableMapping

__all__ = ["LINEAGE_COLUMNS", "Compiler", "RawColumns", "compile_table", "empty_table"]

RawColumns = Dictionary[str, Dictionary[str, str]]
LINEAGE_COLUMNS = ("_source", "_file_hash", "_row_number", "_file_date", "_landed_date", "_raw_table")
_NO_COLUMN = (
    re.compile(r'Referenced column "(?P<column>.+?)" (?:was )?not found'),
    re.compile(r'(?:Table|Values list) "(?P<table>.+?)" does not have a column named "(?P<column>.+?)"'),
    re.compile(r'Referenced table "(?P<table>.+?)" not found'),
    # DuckDB 2.0, of `max(x) as x` without an x
    re.compile(r'Column "(?P<column>.+?)" referenced that exists in the SELECT clause'),
)
_LIKELY = re.compile(r'^Did you mean "(.+?)"', re.MULTILINE)


class _MissingColumn(Exception):
    def __init__(self, column: str, group: str, where: str) -> None:
        super().__init__(column)
        self.column, self.group, self.where = column, group, where


def compile_table(mapping: Mapping, table: str, raw_columns: RawColumns) -> str:
    """Return the SQL of one contract table.

    Parameters
    ----------
    mapping
        The mapping; its name is the source's.
    table
        A contract table.
    raw_columns
        For every file group that has landed, the columns of its raw table and their DuckDB types.

    Returns
    -------
    str
        A query over `raw.*` and `ops.files` that yields all contract columns in contract order, then `x_…` columns,
        then the lineage columns; a typed empty query when no mapped file group has landed.

    Raises
    ------
    UnknownColumn
        When an expression names a column the group does not have.
    BadMapping
        When an expression is no SQL that can be evaluated.
    """
    with Compiler(mapping, raw_columns) as compiler:
        return compiler.table(table)


def empty_table(table: str) -> str:
    """Return a query with the columns of a contract table, typed, and no rows.

    >>> empty_table("budgets").splitlines()[0]
    'select'
    """
    columns = [f"cast(null as {column.sql_type}) as {identifier(column.name)}" for column in contracts()[table].columns]
    types = ("varchar", "varchar", "bigint", "date", "date", "varchar")
    columns += [f"cast(null as {kind}) as {name}" for name, kind in zip(LINEAGE_COLUMNS, types, strict=True)]
    return "select\n    " + ",\n    ".join(columns) + "\nwhere false"


class Compiler:
    """Binds a mapping's expressions against the columns that are there, in an empty database of its own.

    Parameters
    ----------
    mapping
        The mapping.
    raw_columns
        Per file group: column names and DuckDB types. Groups that are left out have not landed.
    """

    def __init__(self, mapping: Mapping, raw_columns: RawColumns) -> None:
        self.mapping = mapping
        self.columns = {group: dict(columns) for group, columns in raw_columns.items()}
        self._scratch = Scratch()
        for group in self.columns:
            self._create(group, self.columns[group])

    def __enter__(self) -> Compiler:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._scratch.close()

    def table(self, table: str) -> str:
        """Return the SQL of one contract table; see `compile_table`."""
        try:
            parts = [self._entry(entry) for entry in self.entries(table)]
        except _MissingColumn as missing:
            raise self._unknown(missing, f"the file group {missing.group!r}") from missing
        if not parts:
            return empty_table(table)
        if len(parts) == 1:
            return parts[0]
        return "\nunion all by name\n".join(f"select * from (\n{part}\n)" for part in parts)

    def entries(self, table: str) -> list[TableMapping]:
        """Return what fills this contract table, of file groups that have landed."""
        return [entry for entry in self.mapping.tables if entry.table == table and entry.group in self.columns]

    def has_table(self, table: str) -> bool:
        """Tell whether a file group that fills this contract table has landed."""
        return bool(self.entries(table))

    def check_file(self, group: str, columns: Dictionary[str, str]) -> list[str]:
        """Hold the columns of one file against what the mapping needs of its group.

        Parameters
        ----------
        group
            The file group.
        columns
            The file's columns and types.

        Returns
        -------
        list of str
            Optional contract columns that stay empty for this file, as `table.column`.

        Raises
        ------
        UnknownColumn
            When a required contract column, a join or a condition needs a column the file does not have.
        """
        whole = self.columns.get(group)
        self.columns[group] = dict(columns)
        self._create(group, columns)
        try:
            readers = [entry for entry in self.mapping.tables if group in self.groups(entry)]
            return [lack for entry in readers for lack in self._lacks(group, entry)]
        except _MissingColumn as missing:
            raise self._unknown(missing, "the file") from missing
        finally:
            if whole is None:
                del self.columns[group]
            else:
                self.columns[group] = whole
                self._create(group, whole)

    def unreached(self, group: str) -> str | None:
        """Return SQL that counts the active rows of a group that reach no table, or None when all must."""
        entries = [e for e in self.mapping.tables if e.group == group and not e.one_row_per]
        if not entries or any(not e.where and not e.join for e in entries):
            return None
        source = f"with {self._relations([group])}\nselect count(*) from {identifier(group)}"
        if not any(e.join for e in entries) and len({e.alias for e in entries}) == 1:
            missed = " and ".join(f"not coalesce(({e.where}\n), false)" for e in entries)
            return f"{source} as {identifier(entries[0].alias)} where {missed}"
        reached = "\nunion all ".join(
            f"select _file_hash, _row_number from (\n{self._bound(e, {})}\n)" for e in entries
        )
        return f"{source} as g anti join (\n{reached}\n) as t using (_file_hash, _row_number)"

    def multiplied(self, entry: TableMapping) -> str | None:
        """Return SQL that counts the rows an entry's join adds to those of its file group, or None when it cannot."""
        if not entry.join or entry.one_row_per:
            return None
        return (
            "select coalesce(sum(copies - 1), 0) from (select count(*) as copies from (\n"
            f"{self._bound(entry, {})}\n) group by _file_hash, _row_number having count(*) > 1)"
        )

    def differing(self, entry: TableMapping) -> str | None:
        """Return SQL that counts the values of `number_within` whose rows differ between files, or None.

        Their rows add up, which is right for an order cut in two by the end of a file and wrong for a corrected one.
        """
        if not entry.number_within or self.mapping.load_mode(entry.group) != "append":
            return None
        where = f"\nwhere coalesce(({entry.where}\n), false)" if entry.where and not entry.join else ""
        return (
            f"with {self._relations([entry.group], numbered=entry)}\nselect count(*) from (select ({entry.number_within})"
            f"\nfrom {identifier(entry.group)} as {identifier(entry.alias)}{where}\ngroup by 1"
            "\nhaving count(distinct _file_hash) > 1"
            "\n    and count(*) <> count(distinct _file_hash) * count(distinct _number))"
        )

    def _entry(self, entry: TableMapping) -> str:
        expressions = self._expressions(entry)
        missing = [name for name in contracts()[entry.table].required_columns if name not in expressions]
        if missing:
            raise _MissingColumn(missing[0], entry.group, f"tables.{entry.table}")
        there = {column.casefold() for column in self.columns[entry.group]}
        for formatted in self.mapping.files[entry.group].formats:
            if there and formatted.casefold() not in there:
                raise _MissingColumn(formatted, entry.group, f"files.{entry.group}.formats")
        selected = self._bound(entry, expressions)
        types = self.types(selected)
        zone = self.mapping.source.time_zone
        columns = []
        for column in contracts()[entry.table].columns:
            name = identifier(column.name)
            if column.name not in expressions:
                columns.append(f"cast(null as {column.sql_type}) as {name}")
            elif column.type == "timestamp":
                converted = utc(name, types[column.name], zone)
                columns.append(name if converted == name else f"{converted} as {name}")
            else:
                columns.append(name)
        columns += [identifier(name) for name in expressions if name.startswith("x_")]
        columns += [
            f"{literal(self.mapping.name)} as _source", "_file_hash", "_row_number", "_file_date", "_landed_date",
            f"{literal(self.mapping.raw_table(entry.group))} as _raw_table",
        ]  # fmt: skip
        sql = "select\n    " + ",\n    ".join(columns) + f"\nfrom (\n{selected}\n)"
        if entry.one_row_per:
            keys = ", ".join(map(identifier, entry.one_row_per))
            order = "_file_date desc nulls last, _file_hash, _row_number"
            if "updated_at" in expressions:
                order = f"updated_at desc nulls last, {order}"
            sql += f"\nqualify row_number() over (partition by {keys} order by {order}) = 1"
        return sql

    def _create(self, group: str, columns: Dictionary[str, str]) -> None:
        self._scratch.create(self.mapping.raw_table(group), columns)

    def _expressions(self, entry: TableMapping) -> dict[str, str]:
        expressions = {"store_id": "'main'"}
        names = contracts()[entry.table].column_names
        if "currency" in names and self.mapping.source.currency:
            expressions["currency"] = literal(self.mapping.source.currency)
        if entry.same_names:
            folded = {name.casefold() for name in names}
            for column in self.columns[entry.group]:
                plain = column.casefold()
                name = plain if plain in folded else _extra_name(plain, expressions)
                expressions[name] = f"{identifier(entry.alias)}.{identifier(column)}"
        return expressions | entry.columns

    def groups(self, entry: TableMapping) -> list[str]:
        """Return the file groups that an entry reads: its own first, then those it joins."""
        text = " ".join((entry.join, entry.where, entry.number_within, *entry.columns.values()))
        joined = [group for group in self.mapping.files if re.search(rf"\b{group}\b", text, re.IGNORECASE)]
        return list(dict.fromkeys([entry.group, *joined]))

    def _relations(
        self, groups: list[str], invented: Dictionary[str, None] | None = None, numbered: TableMapping | None = None
    ) -> str:
        relations = []
        for group in groups:
            if numbered and group == numbered.group and group in self.columns:
                sql = numbered_rows(self.mapping, numbered, self.columns[group])
            elif group in self.columns:
                sql = active_rows(self.mapping, group, self.columns[group])
            else:
                names = [*(invented or {}), "_file_hash"]
                listed = ", ".join(f"cast(null as varchar) as {identifier(name)}" for name in names)
                sql = f"select {listed} where false"
            relations.append(f"{identifier(group)} as not materialized (\n    {sql}\n)")
        return ",\n".join(relations)

    def _selected(
        self, entry: TableMapping, expressions: Dictionary[str, str], invented: Dictionary[str, None] | None = None
    ) -> str:
        alias = identifier(entry.alias)
        listed = [f"({expression}\n) as {identifier(name)}" for name, expression in expressions.items()]
        listed += [f"{alias}.{name}" for name in LINEAGE_COLUMNS[1:5]]
        where = f"\nwhere coalesce(({entry.where}\n), false)" if entry.where else ""
        numbered = entry if entry.number_within and expressions else None
        return (
            f"with {self._relations(self.groups(entry), invented, numbered)}\nselect\n    " + ",\n    ".join(listed)
            + f"\nfrom {identifier(entry.group)} as {alias}\n{entry.join}{where}"
        )  # fmt: skip

    def types(self, sql: str) -> dict[str, str]:
        """Return the columns of a query and their types."""
        return self._scratch.types(sql)

    def _binds(self, entry: TableMapping, expressions: Dictionary[str, str]) -> bool:
        try:
            self.types(self._selected(entry, expressions))
        except duckdb.Error:
            return False
        return True

    def _bound(self, entry: TableMapping, expressions: Dictionary[str, str]) -> str:
        """Return the entry's inner query once it binds, inventing empty columns for groups that have not landed."""
        invented: dict[str, None] = {}
        absent = any(group not in self.columns for group in self.groups(entry))
        while True:
            sql = self._selected(entry, expressions, invented)
            try:
                self.types(sql)
            except duckdb.Error as error:
                column, table = _missing_column(error)
                is_known = column is None or column in invented or table == entry.alias
                if not absent or is_known:
                    raise self._told(error, entry, expressions) from error
                invented[str(column)] = None
            else:
                return sql

    def _told(
        self, error: duckdb.Error, entry: TableMapping, expressions: Dictionary[str, str]
    ) -> BadMapping | _MissingColumn:
        where = f"tables.{entry.table}"
        for name in filter(expressions.__contains__, entry.columns):
            try:
                self.types(self._selected(entry, {name: expressions[name]}))
            except duckdb.Error as found:
                if self._binds(entry, {}):
                    error, where = found, f"tables.{entry.table}.columns.{name}"
                break
        column, table = _missing_column(error)
        if column is None:
            # the kind of the error, such as "Catalog Error", says nothing to who wrote the expression
            reason = re.sub(r"^\w+ Error: ", "", str(error).splitlines()[0]).rstrip(".!")
            likely = _LIKELY.search(str(error))
            return BadMapping(f"{self.mapping.origin}: {where} cannot be evaluated: {reason}.",
                              nearest=likely and likely[1], fix="Expressions are DuckDB SQL.")  # fmt: skip
        return _MissingColumn(column, self._group_of(entry, table), where)

    def _group_of(self, entry: TableMapping, alias: str | None) -> str:
        if alias is None or alias == entry.alias:
            return entry.group
        for group in self.mapping.files:
            if alias == group or re.search(rf'\b{group}"?\s+(as\s+)?"?{re.escape(alias)}\b', entry.join, re.IGNORECASE):
                return group
        return entry.group

    def _lacks(self, group: str, entry: TableMapping) -> list[str]:
        """Return the optional contract columns that stay empty; raise when a needed column of the group is missing."""
        if entry.group not in self.columns:
            return []
        expressions = self._expressions(entry)
        required = contracts()[entry.table].required_columns
        needed = {name: sql for name, sql in expressions.items() if name in required or name in entry.one_row_per}
        absent = [name for name in required if name not in expressions]
        if absent and entry.group == group:
            raise _MissingColumn(absent[0], group, f"tables.{entry.table}")
        lacks = []
        try:
            self._bound(entry, needed)
        except _MissingColumn as missing:
            if missing.group == group:
                raise
        # what has the name of its column binds: asking for it, or for each where all bind, would take long where a file has many
        optional = {name: expressions[name] for name in entry.columns.keys() - needed.keys()}
        # under names of their own: an expression may not take another's for a column that the file lacks
        numbered = {f"_optional_{number}": sql for number, sql in enumerate(optional.values())}
        for name in optional if numbered and not self._binds(entry, numbered) else ():
            try:
                self._bound(entry, {name: optional[name]})
            except _MissingColumn as missing:
                if missing.group == group:
                    lacks.append(f"{entry.table}.{name}")
        return sorted(lacks)

    def _unknown(self, missing: _MissingColumn, where: str) -> UnknownColumn:
        columns = list(self.columns.get(missing.group, ()))
        return UnknownColumn(
            f"{where} lacks the column {missing.column!r}, which {missing.where} of {self.mapping.origin} needs.",
            nearest=nearest(missing.column, columns),
            accepted=f"its columns {', '.join(columns)}",
            fix="Correct the mapping, or the delimiter, header or columns it declares.",
        )


def _extra_name(column: str, taken: Dictionary[str, str]) -> str:
    """Return the `x_…` name of a column; of two that come to the same name the later one gets a number."""
    plain = f"x_{re.sub(r'[^a-z0-9]+', '_', column.removeprefix('x_')).strip('_')}"
    numbered = (f"{plain}_{number}" for number in count(2))
    return plain if plain not in taken else next(name for name in numbered if name not in taken)


def _missing_column(error: duckdb.Error) -> tuple[str | None, str | None]:
    for pattern in _NO_COLUMN:
        if found := pattern.search(str(error)):
            groups = found.groupdict()
            return groups.get("column"), groups.get("table")
    return None, None
