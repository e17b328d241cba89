"""Looks at unknown files of one shape: how they are written, and what the values of each column look like."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from marginwise.connectors.canonical import cleaned, identifier, literal
from marginwise.connectors.column_names import is_private_name, value_key, vocabulary
from marginwise.connectors.dialect import storage_kind
from marginwise.connectors.mapping import FileGroup
from marginwise.connectors.notation import NumberNotation, TimeNotation, number_notation, number_shapes, time_notation
from marginwise.connectors.unknown_file import how_written, load_raw
from marginwise.errors import UnreadableFile

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import duckdb

__all__ = ["ColumnProfile", "FileProfile", "profile_files"]

Facts = tuple[NumberNotation | None, TimeNotation | None, dict[str, float], tuple[tuple[str, int], ...]]

VALUE_LIMIT = 3_000
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
_LOOKS = {
    "email": r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}",
    "phone": r"\+?[\d\s()/.-]{7,20}",
    "code": r"[A-Z]{3}",
    "letters": r".*[A-Za-zÀ-ÿ].*[A-Za-zÀ-ÿ].*",
    "url": r"(https?://|/).*",
    "float_id": r"\d+\.0+",
}


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
        """The column as a number in SQL, null where it is none."""
        text = self.sql
        if self.number is not None and self.number.with_code:
            text = f"regexp_replace({text}, '[^0-9,.+-]', '', 'g')"
            if self.number.thousands:
                text = f"replace({text}, {literal(self.number.thousands)}, '')"
            if self.number.decimal == ",":
                text = f"replace({text}, ',', '.')"
        return f"try_cast({text} as decimal(20, 4))"

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
    is_parquet: bool = False

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
    types = {
        row[0]: row[1] for row in con.execute(f"describe raw.{identifier(f'{source}__{group}')}").fetchall() if row[0][0] != "_" or row[0] not in ("_file_hash", "_row_number")
    }  # fmt: skip
    if not rows:
        raise UnreadableFile(f"{name} holds no rows.", fix="Export it again with its rows below the header.")
    if len(types) < 2:
        raise UnreadableFile(
            f"{name} has only one column: it is no table, or its delimiter is none of comma, semicolon, tab or bar.",
            accepted="CSV with any delimiter and encoding, also compressed, and Parquet",
        )
    raw = f"raw.{identifier(f'{source}__{group}')}"
    _collect_values(con, raw, list(types))
    tokens = _null_tokens(con)
    notations = _notations(con, list(types), tokens)
    declared = settings | _declared(notations, types, tokens)
    file_group = FileGroup(path=tuple(pattern), **declared)
    columns = _typed(con, source, group, file_group, types, notations, tokens)
    is_headerless = settings.get("header") is False
    return FileProfile(group, tuple(paths), file_group, columns, rows, is_whole, unreadable, tuple(notes), is_headerless,
                       storage_kind(paths[0]) == "parquet")  # fmt: skip


def _collect_values(con: duckdb.DuckDBPyConnection, raw: str, names: list[str]) -> None:
    con.execute("create or replace temp table seen (column_number integer, v varchar, n bigint, first_row bigint)")
    for number, name in enumerate(names):
        text = f"trim(cast({identifier(name)} as varchar), ' \t\r\n\u00a0\u202f')"
        con.execute(
            f"insert into seen select {number}, v, n, first_row from (select {text} as v, count(*) as n, min(_row_number) as first_row"
            f" from {raw} group by v) where v <> '' order by n > 50 desc, hash(v) limit {VALUE_LIMIT}"
        )


def _null_tokens(con: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    known = ", ".join(map(literal, vocabulary("null_tokens").values()))
    rows = con.execute(
        f"select v, max(share) from (select v, sum(n) filter (where v in ({known})) over (partition by column_number, v) * 1.0"
        f" / sum(n) over (partition by column_number) as share, v in ({known}) as is_token from seen) where is_token group by v order by v"
    ).fetchall()
    return tuple(token for token, share in rows if share < 0.97 or token in ("NULL", "\\N", "null"))


def _notations(con: duckdb.DuckDBPyConnection, names: list[str], tokens: tuple[str, ...]) -> dict[str, Facts]:
    absent = ", ".join(map(literal, ("", *tokens)))
    code = "regexp_matches(v, '[A-Za-z%]') as has_code"
    shapes = con.execute(
        f"select column_number, shape, has_code, sum(n) from (select *, {number_shapes('v')} as shape, {code} from seen where v not in ({absent}))"
        " group by all"
    ).fetchall()
    looks = ", ".join(
        f"sum(n) filter (where regexp_full_match(v, {literal(look)})) * 1.0 / sum(n)" for look in _LOOKS.values()
    )
    seen = {
        row[0]: row[1:]
        for row in con.execute(
            f"select column_number, sum(n), {looks} from seen where v not in ({absent}) group by 1"
        ).fetchall()
    }
    found = {}
    for number, name in enumerate(names):
        if number not in seen:
            found[name] = (None, None, {}, ())
            continue
        filled = int(seen[number][0])
        weights: Counter[str] = Counter()
        coded = 0
        for column, shape, has_code, count in shapes:
            if column == number and shape is not None:
                weights[shape] += int(count)
                coded += int(count) * bool(has_code)
        notation = number_notation(dict(weights), filled, with_code=coded > 0) if weights else None
        values = con.execute(
            f"select v, n from seen where column_number = {number} and v not in ({absent}) order by first_row"
        ).fetchall()
        common = tuple(sorted(((v, int(n)) for v, n in values), key=lambda item: (-item[1], item[0]))[:200])
        is_plain_number = (
            notation is not None
            and notation.share > 0.98
            and not all(re.fullmatch(r"(19|20)\d{6}", v) for v, _ in common[:20])
        )
        time = (
            None
            if is_plain_number and not any(re.search(r"[./-]\d+[./-]", v) for v, _ in common[:20])
            else time_notation(con, values)
        )
        found[name] = (
            notation,
            time,
            dict(zip(_LOOKS, (float(s or 0) for s in seen[number][1:]), strict=True)),
            common,
        )
    return found


def _declared(
    notations: dict[str, Facts],
    types: dict[str, str],
    tokens: tuple[str, ...],
) -> dict[str, object]:
    """Return null tokens, decimal sign, thousands separator and formats of the file group."""
    numbers = {
        name: found[0]
        for name, found in notations.items()
        if found[0] and found[0].share >= 0.9 and types[name] == "VARCHAR"
    }
    signs = Counter(number.decimal for number in numbers.values() if number.decimal)
    separators = Counter(number.thousands for number in numbers.values() if number.thousands)
    decimal = signs.most_common(1)[0][0] if signs else "."
    if not signs and any(number.ambiguous and number.share > 0.9 for number in numbers.values()):
        decimal = "."
    allowed = [sign for sign, _ in separators.most_common() if sign != decimal]
    thousands = allowed[0] if allowed else ""
    formats: dict[str, tuple[str, ...]] = {}
    for name, (number, time, looks, common) in notations.items():
        if types[name] != "VARCHAR":
            continue
        if time and time.patterns and time.share >= 0.8:
            formats[name] = time.patterns
        elif looks.get("float_id", 0) > 0.98 and any(len(v) >= 6 for v, _ in common[:5]):
            formats[name] = ("id",)
        elif is_private_name(name):
            continue
        elif number and number.share >= 0.9 and not number.with_code and number.decimal in ("", decimal):
            odd = any(
                re.search(r"[€$£¥\s\u00a0\u202f(),'’]|-$", v) or (thousands == "." and "." in v) for v, _ in common
            )
            if odd or number.decimal == "," or number.thousands:
                formats[name] = ("number",)
    declared: dict[str, object] = {"null": ("", *tokens)} if tokens else {}
    if decimal != ".":
        declared["decimal"] = decimal
    if thousands and any(found == ("number",) for found in formats.values()):
        declared["thousands"] = thousands
    if formats:
        declared["formats"] = formats
    return declared


def _typed(
    con: duckdb.DuckDBPyConnection,
    source: str,
    group: str,
    settings: FileGroup,
    types: dict[str, str],
    notations: dict[str, Facts],
    tokens: tuple[str, ...],
) -> tuple[ColumnProfile, ...]:
    listed = ", ".join(
        f"{cleaned(identifier(name), name, kind, settings)} as {identifier(name)}" for name, kind in types.items()
    )
    raw = f"raw.{identifier(f'{source}__{group}')}"
    con.execute(f"create or replace table typed_{group} as select {listed}, _file_hash, _row_number from {raw}")
    draft = []
    for name, kind in types.items():
        number, time, looks, common = notations[name]
        if kind.split("(")[0] in _NUMERIC:
            number = NumberNotation(1.0, ".", "")
        elif kind.startswith(("TIMESTAMP", "DATE")):
            time = TimeNotation(1.0, (), not kind.startswith("DATE"), kind.endswith("ZONE"))
        draft.append(ColumnProfile(name, kind, 0, 0, 0, number, time, looks, common))
    measured = []
    for column in draft:
        value = column.number_sql if column.number else "null::decimal(20, 4)"
        measured.append(
            f"count({column.sql}), count(distinct {column.sql}), count({value}), count(*) filter (where {value} = floor({value})),"
            f" count(*) filter (where {value} < 0), min({value})::double, max({value})::double"
        )
    row = con.execute(f"select count(*), {', '.join(measured)} from typed_{group}").fetchall()[0]
    columns = []
    for index, column in enumerate(draft):
        filled, distinct, numbers, integers, negatives, low, high = row[1 + index * 7 : 8 + index * 7]
        columns.append(
            ColumnProfile(
                column.name, column.sql_type, int(row[0]), int(filled), int(distinct), column.number, column.time, column.looks,
                column.common, integers / numbers if numbers else 0.0, negatives / numbers if numbers else 0.0, low, high,
            )
        )  # fmt: skip
    return tuple(columns)
