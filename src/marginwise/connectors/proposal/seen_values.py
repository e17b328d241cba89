"""Gathers the different values of every column of a file and what they look like: numbers, dates, words, addresses."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from marginwise.connectors.canonical import identifier, literal
from marginwise.connectors.proposal.column_names import is_private_name
from marginwise.connectors.proposal.lexicon import null_words
from marginwise.connectors.proposal.notation import (
    NumberNotation,
    TimeNotation,
    number_notation,
    number_shapes,
    time_notation,
)

if TYPE_CHECKING:
    import duckdb

__all__ = ["ColumnFacts", "column_facts", "declared_notation"]

VALUE_LIMIT = 3_000
SHOWN_LIMIT = 200
_LOOKS = {
    "email": r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}",
    "phone": r"\+?[\d\s()/.-]{7,20}",
    "code": r"[A-Z]{3}",
    "letters": r".*[A-Za-zÀ-ÿ].*[A-Za-zÀ-ÿ].*",
    "url": r"(https?://|/).*",
    "float_id": r"\d+\.0+",
}
_ODD_NUMBER = re.compile("[€$£¥\\s\u00a0\u202f(),'\u2019]|-$")
_ALWAYS_NULL = ("NULL", "null", "\\N")


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """What the different values of a column look like.

    Parameters
    ----------
    number, time
        How numbers or dates are written, None when the values are none.
    looks
        Shares of the values that look like an e-mail address, a phone number, a code of three capitals, text with letters,
        an address on the web, and an id with ".0" behind.
    common
        The most frequent values and their counts.
    """

    number: NumberNotation | None = None
    time: TimeNotation | None = None
    looks: dict[str, float] = field(default_factory=dict)
    common: tuple[tuple[str, int], ...] = ()


def column_facts(
    con: duckdb.DuckDBPyConnection, raw: str, names: list[str]
) -> tuple[dict[str, ColumnFacts], tuple[str, ...]]:
    """Look at the values of every column.

    Parameters
    ----------
    con
        The database with the rows as they are.
    raw
        Table of the rows, with `_row_number`.
    names
        Its columns.

    Returns
    -------
    dict, tuple of str
        Facts by column, and the texts that stand for "no value" in this file.
    """
    _collect(con, raw, names)
    tokens = _null_tokens(con)
    absent = ", ".join(map(literal, ("", *tokens)))
    con.execute(f"delete from seen where v in ({absent})")
    shapes = con.execute(
        f"select column_number, {number_shapes('v')} as shape, regexp_matches(v, '[A-Za-z%]') as has_code, sum(n)"
        " from seen group by all having shape is not null"
    ).fetchall()
    shares = ", ".join(
        f"sum(n) filter (where regexp_full_match(v, {literal(look)})) / sum(n)" for look in _LOOKS.values()
    )
    looks = {
        row[0]: row[1:]
        for row in con.execute(f"select column_number, sum(n), {shares} from seen group by 1").fetchall()
    }
    values: dict[int, list[tuple[str, int]]] = {}
    for number, value, count in con.execute("select column_number, v, n from seen order by first_row").fetchall():
        values.setdefault(number, []).append((value, int(count)))
    facts: dict[str, ColumnFacts] = {}
    for number, name in enumerate(names):
        if number not in looks:
            facts[name] = ColumnFacts()
            continue
        own = [(shape, bool(has_code), int(count)) for column, shape, has_code, count in shapes if column == number]
        facts[name] = _facts(con, number, values[number], own, looks[number])
    return facts, tokens


def declared_notation(facts: dict[str, ColumnFacts], types: dict[str, str], tokens: tuple[str, ...]) -> dict[str, Any]:
    """Return null tokens, decimal sign, thousands separator and formats as a file group declares them.

    Parameters
    ----------
    facts
        Facts by column.
    types
        DuckDB types of the raw columns; only text needs a notation.
    tokens
        Texts that stand for "no value".
    """
    numbers = [f.number for name, f in facts.items() if f.number and f.number.share >= 0.9 and types[name] == "VARCHAR"]
    signs = Counter(number.decimal for number in numbers if number.decimal)
    decimal = signs.most_common(1)[0][0] if signs else "."
    separators = Counter(number.thousands for number in numbers if number.thousands and number.thousands != decimal)
    thousands = separators.most_common(1)[0][0] if separators else ""
    formats: dict[str, tuple[str, ...]] = {}
    for name, fact in facts.items():
        if types[name] == "VARCHAR" and (declared := _format(name, fact, decimal, thousands)):
            formats[name] = declared
    declared_all: dict[str, Any] = {"null": ("", *tokens)} if tokens else {}
    if decimal != ".":
        declared_all["decimal"] = decimal
    if thousands and ("number",) in formats.values():
        declared_all["thousands"] = thousands
    return declared_all | ({"formats": formats} if formats else {})


def _collect(con: duckdb.DuckDBPyConnection, raw: str, names: list[str]) -> None:
    con.execute("create or replace temp table seen (column_number integer, v varchar, n bigint, first_row bigint)")
    for number, name in enumerate(names):
        column = identifier(name)
        con.execute(
            f"insert into seen select {number}, trim(cast(v as varchar), ' \t\r\n\u00a0\u202f') as text, n, first_row from ("
            f"select {column} as v, count(*) as n, min(_row_number) as first_row from {raw} where {column} is not null"
            f" group by v order by n > 50 desc, hash(v) limit {VALUE_LIMIT}) where text <> ''"
        )


def _null_tokens(con: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    known = ", ".join(map(literal, null_words()))
    rows = con.execute(
        "select v, max(share) from (select v, n / sum(n) over (partition by column_number) as share from seen)"
        f" where v in ({known}) group by v order by v"
    ).fetchall()
    return tuple(token for token, share in rows if share < 0.97 or token in _ALWAYS_NULL)


def _facts(
    con: duckdb.DuckDBPyConnection,
    column_number: int,
    values: list[tuple[str, int]],
    shapes: list[tuple[str, bool, int]],
    looks: tuple[Any, ...],
) -> ColumnFacts:
    weights: Counter[str] = Counter()
    for shape, _, count in shapes:
        weights[shape] += count
    with_code = any(has_code for _, has_code, _ in shapes)
    number = number_notation(dict(weights), int(looks[0]), with_code=with_code) if weights else None
    common = tuple(sorted(values, key=lambda item: (-item[1], item[0]))[:SHOWN_LIMIT])
    shown = [value for value, _ in common[:20]]
    is_packed = all(re.fullmatch(r"(19|20)\d{6}", value) for value in shown)
    is_dated = is_packed or any(re.search(r"\d[./ -]\w+[./ -]|[A-Za-z]{3}[ -]\d", value) for value in shown)
    is_number = number is not None and number.share > 0.98
    time = None
    if is_dated and not (is_number and not is_packed and not _has_dates(shown)):
        query = f"select first_row as position, v, n from seen where column_number = {column_number}"
        time = time_notation(con, query, [value for value, _ in values])
    shares = {name: float(share or 0) for name, share in zip(_LOOKS, looks[1:], strict=True)}
    return ColumnFacts(number, time, shares, common)


def _has_dates(values: list[str]) -> bool:
    return any(re.search(r"\d[./-]\d+[./-]\d", value) for value in values)


def _format(name: str, fact: ColumnFacts, decimal: str, thousands: str) -> tuple[str, ...]:
    number, time = fact.number, fact.time
    if time and time.patterns and time.share >= 0.8:
        return time.patterns
    if fact.looks.get("float_id", 0) > 0.98 and any(len(value) >= 6 for value, _ in fact.common[:5]):
        return ("id",)
    if number is None or number.share < 0.9 or number.with_code or is_private_name(name):
        return ()
    if number.decimal not in ("", decimal):
        return ()
    is_odd = any(_ODD_NUMBER.search(value) or (thousands == "." and "." in value) for value, _ in fact.common)
    return ("number",) if is_odd or number.decimal == "," or number.thousands else ()
