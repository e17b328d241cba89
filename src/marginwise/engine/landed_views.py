"""Lays the contract's views over the raw tables, and counts the rows that a mapping loses or multiplies."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING, NamedTuple

import duckdb
import pyarrow as pa

from marginwise.connectors.canonical import identifier, literal
from marginwise.connectors.compilation import LINEAGE_COLUMNS, Compiler, empty_table
from marginwise.connectors.declared_formats import declared_formats
from marginwise.connectors.reach import only_rows, row_key, rows_of_keys
from marginwise.connectors.relation import active_rows_count
from marginwise.contract.loader import contracts
from marginwise.engine.duckdb import transaction
from marginwise.engine.hindrances import fails_on_a_value
from marginwise.engine.landed_changes import FileChanges
from marginwise.engine.landed_places import LandedPlaces
from marginwise.engine.ledger import raw_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Mapping as Dictionary

    from marginwise.connectors.mapping import Mapping, TableMapping

__all__ = ["LandingCheck", "create_landed_views", "landing_checks"]

LandingCheck = tuple[str, str, int, str]
"""Raw table, rule, rows concerned, message."""
_OF_A_VALUE = (duckdb.DataError, duckdb.InvalidInputException)
"""What the engine raises where an expression fails on a value."""


def create_landed_views(con: duckdb.DuckDBPyConnection, mappings: Dictionary[str, Mapping]) -> None:
    """Lay `landed.<table>` over the raw tables for every contract table, typed and empty where no source fills it.

    It is a view where reading it costs little, and stays while its query and the columns it reads are as they were. Where the
    mapping reads text, filters, joins, numbers or keeps one row per key it is a table, so that the stages behind, which read it
    many times, do not evaluate the mapping each time. Such a table
    takes only the rows that the files touch which came or went (its own, where each row is made of one row of one file;
    those that share its key, where they are numbered or chosen within one), and stays as it is where nothing it is made
    of has changed. `ops.landed_tables` says what each was made of, `ops.landed_places` which rows of those made of
    several the check has not seen, `ops.landed_rows` how many rows each holds, `ops.table_feeds` which raw tables each is
    read from, `ops.declared_formats` which formats a mapping declares.

    Raises
    ------
    UnknownColumn, BadMapping
        When a mapping cannot be evaluated over what has landed; everything stays as it was.
    """
    changes = FileChanges(con)
    with ExitStack() as stack:
        compilers = [stack.enter_context(Compiler(mapping, _columns(con, mapping))) for mapping in mappings.values()]
        relations = [_Landed(con, table, compilers, changes) for table in contracts()]
    formats = [declared for mapping in mappings.values() for declared in declared_formats(mapping)]
    feeds = sorted(
        {(entry.table, mapping.raw_table(entry.group)) for mapping in mappings.values() for entry in mapping.tables}
    )
    with transaction(con):
        _replace_rows(con, "ops.table_feeds", feeds)
        _replace_rows(con, "ops.declared_formats", formats)
        present = _present(con)
        for table in sorted(present.keys() - contracts().keys()):
            con.execute(f"drop {present[table]} landed.{identifier(table)}")
        known = con.execute("select table_name, query_hash, version, told_since from ops.landed_tables").fetchall()
        made_of = {table: _Made(*told) for table, *told in known}
        places = LandedPlaces(con)
        for relation in relations:
            with _reckoned(con, relation):
                relation.write(con, present.get(relation.table), made_of.get(relation.table), places)
        counts = "\nunion all\n".join(relation.row_count for relation in relations)
        con.execute(f"create or replace view ops.landed_rows as\n{counts}")
        _replace_rows(con, "ops.landed_tables", [relation.described(con) for relation in relations])
        changes.keep()


@contextmanager
def _reckoned(con: duckdb.DuckDBPyConnection, relation: _Landed) -> Iterator[None]:
    """Tell of an expression that fails on a value, and not of the value, which may be of a customer."""
    try:
        yield
    except _OF_A_VALUE as error:
        column, mapping = _failing_column(con, relation), " or ".join(relation.origins)
        raise fails_on_a_value(relation.table, str(error), column=column, mapping=mapping) from None


def _failing_column(con: duckdb.DuckDBPyConnection, relation: _Landed) -> str | None:
    """Return the column whose expression fails, or None where it is another one: a condition, a key, a join.

    They are asked of a connection of its own, as the transaction in which one failed takes no more queries.
    """
    mapped = dict.fromkeys(column for _, entry in relation.entries for column in entry.columns)
    with con.cursor() as other:
        for column in (None, *mapped):
            reckoned = f"max(hash({identifier(column)}))" if column else "count(*)"
            try:
                other.execute(f"select {reckoned} from (\n{relation.query}\n)")
            except _OF_A_VALUE:
                return column
    return None


class _Made(NamedTuple):
    """What a table or a view was made of, and since when `ops.landed_places` tells of it."""

    query_hash: str
    version: str
    told_since: str | None


class _Landed:
    """One contract table over the raw tables: its query, and what it is made of."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, table: str, compilers: list[Compiler], changes: FileChanges
    ) -> None:
        self.table, self.changes = table, changes
        self.entries = [(compiler, entry) for compiler in compilers for entry in compiler.entries(table)]
        self.keys = [_row_key(compiler, entry) for compiler, entry in self.entries]
        self.query = _query(con, table, compilers)
        self.is_by_row = all(key == "" for key in self.keys)
        self.is_costly = not self.is_by_row or any(_is_costly(compiler, entry) for compiler, entry in self.entries)
        read = {
            compiler.mapping.raw_table(group): compiler.columns.get(group)
            for compiler, entry in self.entries for group in compiler.groups(entry)
        }  # fmt: skip
        self.raw_tables = sorted(read)
        files = changes.now(self.raw_tables)
        # also how the files were read: what is read anew on the day it landed has the same file and day
        readings = sorted({str(reading) for _, _, reading, *_ in files})
        self.query_hash = _hash(self.query, readings, sorted(read.items()))
        self.version = _hash(self.query, files)
        self.told_since: str | None = None

    @property
    def name(self) -> str:
        return f"landed.{identifier(self.table)}"

    @property
    def kind(self) -> str:
        return "table" if self.is_costly else "view"

    @property
    def origins(self) -> list[str]:
        """Return the mappings that fill it."""
        return sorted({compiler.mapping.origin for compiler, _ in self.entries})

    @property
    def row_count(self) -> str:
        """Return the query of its name and how many rows it holds.

        Where it is a view of one row per raw row, those are counted file by file: sooner than by looking each one's file up.
        """
        counted = f"select count(*) as row_count from {self.name}"
        is_one_to_one = self.is_by_row and not self.is_costly and "unnest" not in self.query.lower()
        if self.entries and is_one_to_one:
            counted = "\nunion all\n".join(
                active_rows_count(compiler.mapping, entry.group) for compiler, entry in self.entries
            )
        summed = "coalesce(sum(row_count), 0)::bigint"
        return f"select {literal(self.table)} as table_name, {summed} as row_count from ({counted})"

    def write(
        self, con: duckdb.DuckDBPyConnection, present: str | None, made: _Made | None, places: LandedPlaces
    ) -> None:
        alike = made if made and present == self.kind and made.query_hash == self.query_hash else None
        if alike and (self.kind == "view" or alike.version == self.version):
            self.told_since = alike.told_since
            return
        if alike and not self.is_by_row:  # else its files tell
            self.told_since = places.begin(self.table, alike.version, alike.told_since)
        if self.told_since is None:
            places.forget(self.table)
        touched = self._rows_touched() if alike and self._is_laid(alike) else None
        with places.told(self.table, _of_any(touched)) if self.told_since else nullcontext():
            if touched is None:
                self._lay_anew(con, present)
            else:
                self._exchange_rows(con, touched)

    def _is_laid(self, made: _Made) -> bool:
        """Tell whether what `ops.laid_files` holds is what the table was made of: only then it is believed."""
        return made.version == _hash(self.query, self.changes.laid(self.raw_tables))

    def _rows_touched(self) -> dict[str, str] | None:
        """Return for each raw table which rows the files touch that came or went; None where they cannot be told or are many."""
        touched: dict[str, str] = {}
        for (compiler, entry), key in zip(self.entries, self.keys, strict=True):
            raw_table = compiler.mapping.raw_table(entry.group)
            condition = None if key is None else self.changes.touched(compiler, entry, key)
            if condition is None or touched.setdefault(raw_table, condition) != condition:
                return None
        return touched

    def _lay_anew(self, con: duckdb.DuckDBPyConnection, present: str | None) -> None:
        if present:
            con.execute(f"drop {present} {self.name}")
        con.execute(f"create {self.kind} {self.name} as\n{self.query}")

    def _exchange_rows(self, con: duckdb.DuckDBPyConnection, touched: Dictionary[str, str]) -> None:
        query = self.query
        for raw_table, condition in touched.items():
            con.execute(f"delete from {self.name} where _raw_table = {literal(raw_table)} and {condition}")
            query = only_rows(query, raw_table, condition)
        con.execute(f"insert into {self.name}\n{query}")

    def described(self, con: duckdb.DuckDBPyConnection) -> tuple[str, str, str, bool, bool, str, str | None]:
        has_rows = bool(con.execute(f"select 1 from {self.name} limit 1").fetchall())
        columns = ", ".join(f"{row[0]} {row[1]}" for row in con.execute(f"describe {self.name}").fetchall())
        return self.table, self.query_hash, self.version, self.is_by_row, has_rows, columns, self.told_since


def _of_any(touched: Dictionary[str, str] | None) -> str:
    """Return the condition of rows of any raw table that fit its condition; of all rows where there is none."""
    if touched is None:
        return "true"
    of_each = (f"(_raw_table = {literal(raw_table)} and {condition})" for raw_table, condition in touched.items())
    return " or ".join(of_each)


def _hash(*told: object) -> str:
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def _present(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Return which relations of `landed` there are, and whether each is a table or a view."""
    return dict(
        con.execute(
            "select table_name, case table_type when 'VIEW' then 'view' else 'table' end from information_schema.tables"
            " where table_catalog = current_database() and table_schema = 'landed'"
        ).fetchall()
    )


def _replace_rows(con: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Sequence[object]]) -> None:
    con.execute(f"delete from {table}")
    if rows:  # row by row, each value would be bound by itself
        con.register(
            "replacing_rows", pa.table({str(place): values for place, values in enumerate(zip(*rows, strict=True))})
        )
        con.execute(f"insert into {table} from replacing_rows")
        con.unregister("replacing_rows")


def landing_checks(con: duckdb.DuckDBPyConnection, mappings: Dictionary[str, Mapping]) -> list[LandingCheck]:
    """Count the rows of every file group that reach no table, that reach one more than once, or that nothing reads."""
    found: list[LandingCheck] = []
    split = {
        name
        for (name,) in con.execute(
            "select raw_table from ops.files where is_active and row_count > 0 group by raw_table having count(*) > 1"
        ).fetchall()
    }
    for mapping in mappings.values():
        with Compiler(mapping, _columns(con, mapping)) as compiler:
            for group in compiler.columns:
                raw_table = mapping.raw_table(group)
                missed = _count(con, compiler.unreached(group))
                is_split = raw_table in split
                if missed:
                    found.append(
                        (raw_table, "rows_unreached", missed, f"{missed} rows fit no `where` and reach no table.")
                    )
                for entry in mapping.tables:
                    added = _count(con, compiler.multiplied(entry)) if entry.group == group else 0
                    if added:
                        message = f"The join of {entry.table} adds {added} rows: it must match one row at most."
                        found.append((raw_table, "rows_multiplied", added, message))
                    differing = _count(con, _differing(compiler, entry)) if entry.group == group and is_split else 0
                    if differing:
                        message = (
                            f"{differing} values of {entry.number_within} have other rows in one file than in another:"
                            f' in {entry.table} they add up. If newer files correct older ones, set load = "upsert".'
                        )
                        found.append((raw_table, "files_differ", differing, message))
    return found + _file_notes(con, mappings)


def _differing(compiler: Compiler, entry: TableMapping) -> str | None:
    """Return the query of `Compiler.differing`, over the keys alone that several files hold: only they can differ."""
    query, key = compiler.differing(entry), _row_key(compiler, entry)
    if not query or not key:
        return query
    several = "group by _key having min(_file_hash) <> max(_file_hash)"
    rows = rows_of_keys(compiler.mapping, entry, compiler.columns[entry.group], key=key, chosen=several)
    return only_rows(query, compiler.mapping.raw_table(entry.group), f"(_file_hash, _row_number) in ({rows})")


def _file_notes(con: duckdb.DuckDBPyConnection, mappings: Dictionary[str, Mapping]) -> list[LandingCheck]:
    tables = {mapping.raw_table(group) for mapping in mappings.values() for group in mapping.files}
    notes = con.execute(
        "select raw_table, note, count(*), min(file_name) from ops.files where is_active and note is not null "
        "group by raw_table, note order by all"
    ).fetchall()
    return [
        (raw_table, "file_note", count, f"{name}{f' and {count - 1} more' if count > 1 else ''}: {note}.")
        for raw_table, note, count, name in notes
        if raw_table in tables
    ]


def _columns(con: duckdb.DuckDBPyConnection, mapping: Mapping) -> dict[str, dict[str, str]]:
    tables = {group: mapping.raw_table(group) for group in mapping.files}
    columns = raw_columns(con, tables.values())
    return {group: columns[table] for group, table in tables.items() if table in columns}


def _query(con: duckdb.DuckDBPyConnection, table: str, compilers: list[Compiler]) -> str:
    parts = [compiler.table(table) for compiler in compilers if compiler.has_table(table)]
    if not parts:
        return empty_table(table)
    if len(parts) == 1:
        return parts[0]
    union = "\nunion all by name\n".join(f"select * from (\n{part}\n)" for part in parts)
    names = [row[0] for row in con.execute(f"describe {union}").fetchall()]
    order = [*contracts()[table].column_names, *(name for name in names if name.startswith("x_")), *LINEAGE_COLUMNS]
    return f"select {', '.join(map(identifier, order))}\nfrom (\n{union}\n)"


def _is_costly(compiler: Compiler, entry: TableMapping) -> bool:
    return bool(entry.join or entry.where or entry.one_row_per) or set(compiler.columns[entry.group].values()) == {
        "VARCHAR"
    }


def _row_key(compiler: Compiler, entry: TableMapping) -> str | None:
    return row_key(compiler.mapping, entry, is_alone=len(compiler.groups(entry)) == 1)


def _count(con: duckdb.DuckDBPyConnection, sql: str | None) -> int:
    return int(con.execute(sql).fetchall()[0][0]) if sql else 0
