"""Looks at unknown files of one shape: how they are written, and what the values of each column look like."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from marginwise.connectors.canonical import cleaned, identifier, literal
from marginwise.connectors.mapping import FileGroup
from marginwise.connectors.proposal.lexicon import value_key, vocabulary
from marginwise.connectors.proposal.notation import NumberNotation, TimeNotation
from marginwise.connectors.proposal.seen_values import ColumnFacts, column_facts, declared_notation
from marginwise.connectors.proposal.unknown_file import how_written, load_raw
from marginwise.errors import UnreadableFile

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import duckdb

__all__ = ["ColumnProfile", "FileProfile", "profile_files"]

_NUMERIC = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
    "FLOAT",
    "DOUBLE",
    "DECIMAL",
)


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """What the values of one column look like.

    Parameters
    ----------
    name
        Its name as a mapping sees it.
    sql_type
        DuckDB type of the raw column.
    rows, filled, distinct
        Rows looked at, those with a value, and the number of different values.
    number, time
        How numbers or dates are written, None when the values are none.
    looks
        Shares of the filled values that look like an e-mail address, a phone number, a code of three capitals, text with
        letters, an address on the web, and an id with ".0" behind.
    common
        The most frequent values and their counts.
    integer_share, negative_share, minimum, maximum
        Of the values that are numbers; nulls when none is.
    """

    name: str
    sql_type: str
    rows: int
    filled: int
    distinct: int
    number: NumberNotation | None = None
    time: TimeNotation | None = None
    looks: dict[str, float] = field(default_factory=dict)
    common: tuple[tuple[str, int], ...] = ()
    integer_share: float = 0.0
    negative_share: float = 0.0
    minimum: float | None = None
    maximum: float | None = None

    @property
    def fill_share(self) -> float:
        """Share of the rows that hold a value."""
        return self.filled / self.rows if self.rows else 0.0

    @property
    def is_number(self) -> bool:
        """True when nearly all values are numbers."""
        return self.number is not None and self.number.share >= 0.9

    @property
    def is_time(self) -> bool:
        """True when nearly all values are dates or times."""
        return self.time is not None and self.time.share >= 0.8

    @property
    def sql(self) -> str:
        """The column in SQL."""
        return identifier(self.name)

    @property
    def number_sql(self) -> str:
        """The column as a number in SQL, null where it is none; exact to four places."""
        return self._as_number("decimal(18, 4)")

    @property
    def rate_sql(self) -> str:
        """The column as a floating number in SQL, for rates that are multiplied with amounts."""
        return self._as_number("double")

    def _as_number(self, kind: str) -> str:
        text = self.sql
        if self.number is not None and self.number.with_code:
            text = f"regexp_replace({text}, '[^0-9,.+-]', '', 'g')"
            if self.number.thousands:
                text = f"replace({text}, {literal(self.number.thousands)}, '')"
            if self.number.decimal == ",":
                text = f"replace({text}, ',', '.')"
        return f"try_cast({text} as {kind})"

    def words_share(self, name: str) -> float:
        """Return the share of the values that stand in a vocabulary."""
        known = vocabulary(name)
        total = sum(count for _, count in self.common)
        return sum(count for value, count in self.common if value_key(value) in known) / total if total else 0.0


@dataclass(frozen=True, slots=True)
class FileProfile:
    """Files of one shape, loaded for a look: table ``typed_<group>`` holds their canonical rows with `_row_number`.

    Parameters
    ----------
    group
        Name of the file group.
    paths
        The files.
    settings
        The file group as a mapping declares it.
    columns
        Profile of each column, in file order.
    rows
        Rows looked at.
    is_whole
        False when only the beginning was looked at.
    unreadable
        Rows with another number of fields than the rest.
    notes
        What was odd, in words.
    """

    group: str
    paths: tuple[Path, ...]
    settings: FileGroup
    columns: tuple[ColumnProfile, ...]
    rows: int
    is_whole: bool
    unreadable: int
    notes: tuple[str, ...]
    is_headerless: bool = False

    @property
    def relation(self) -> str:
        """The table that holds the rows in canonical form."""
        return f"typed_{self.group}"

    def column(self, name: str) -> ColumnProfile:
        """Return one column's profile."""
        return next(column for column in self.columns if column.name == name)


def profile_files(
    con: duckdb.DuckDBPyConnection, source: str, group: str, paths: Sequence[Path], pattern: Sequence[str]
) -> FileProfile:
    """Load files of one shape and profile every column.

    Parameters
    ----------
    con
        An in-memory database; takes the rows in ``raw.<source>__<group>`` and ``typed_<group>``.
    source, group
        Names of the source and of the file group.
    paths
        The files.
    pattern
        The globs under which the mapping names them.

    Raises
    ------
    UnreadableFile
        When a file is no table: empty, of a foreign format, damaged, or text without columns.
    """
    con.execute("create schema if not exists raw")
    settings = how_written(paths[0])
    notes: list[str] = []
    rows, unreadable, is_whole = load_raw(con, source, group, paths, settings, notes)
    name = paths[0].name
    raw = f"raw.{identifier(f'{source}__{group}')}"
    described = con.execute(f"describe {raw}").fetchall()
    types = {row[0]: row[1] for row in described if row[0] not in ("_file_hash", "_row_number")}
    if not rows:
        raise UnreadableFile(f"{name} holds no rows.", fix="Export it again with its rows below the header.")
    if len(types) < 2:
        raise UnreadableFile(
            f"{name} has only one column: it is no table, or its delimiter is none of comma, semicolon, tab or bar.",
            accepted="CSV with any delimiter and encoding, also compressed, and Parquet",
        )
    facts, tokens = column_facts(con, raw, list(types))
    file_group = FileGroup(path=tuple(pattern), **settings, **declared_notation(facts, types, tokens))
    columns = _typed(con, raw, f"typed_{group}", file_group, types, facts)
    is_headerless = settings.get("header") is False
    return FileProfile(
        group, tuple(paths), file_group, columns, rows, is_whole, unreadable, tuple(notes), is_headerless
    )


def _typed(
    con: duckdb.DuckDBPyConnection,
    raw: str,
    target: str,
    settings: FileGroup,
    types: dict[str, str],
    facts: dict[str, ColumnFacts],
) -> tuple[ColumnProfile, ...]:
    """Lay the canonical rows beside the raw ones and measure every column on them."""
    cleaned_columns = [f"{cleaned(identifier(n), n, kind, settings)} as {identifier(n)}" for n, kind in types.items()]
    con.execute(
        f"create or replace table {target} as select {', '.join(cleaned_columns)}, _file_hash, _row_number from {raw}"
    )
    rows = int(con.execute(f"select count(*) from {target}").fetchall()[0][0])
    columns = []
    for name, kind in types.items():
        fact = facts[name]
        number, time = fact.number, fact.time
        if kind.split("(")[0] in _NUMERIC:
            number, time = NumberNotation(1.0, ".", ""), None
        elif kind.startswith(("TIMESTAMP", "DATE")):
            number, time = None, TimeNotation(1.0, (), not kind.startswith("DATE"), kind.endswith("ZONE"))
        column = ColumnProfile(name, kind, 0, 0, 0, number, time, fact.looks, fact.common)
        value = column.rate_sql if number is not None and number.share > 0.5 else "null::double"
        filled, distinct, numbers, integers, negatives, low, high = con.execute(
            "select count(c), count(distinct c), count(v), count(*) filter (where v = floor(v)),"
            " count(*) filter (where v < 0), min(v), max(v)"
            f" from (select {column.sql} as c, {value} as v from {target})"
        ).fetchall()[0]
        columns.append(
            replace(
                column, rows=rows, filled=filled, distinct=distinct, minimum=low, maximum=high,
                integer_share=integers / numbers if numbers else 0.0,
                negative_share=negatives / numbers if numbers else 0.0,
            )
        )  # fmt: skip
    return tuple(columns)
