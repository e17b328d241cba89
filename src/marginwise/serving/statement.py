"""Which SQL a reader of the published store may send: exactly one statement that only reads."""

from __future__ import annotations

import re

import duckdb

from marginwise.errors import BadQuery

__all__ = ["first_line", "hold_reading_statement"]

READ_WORDS = ("select", "with", "describe", "show", "from", "values", "summarize", "table", "explain")

_BEFORE_FIRST_WORD = re.compile(r"\A(?:[\s;(]|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*", re.DOTALL)
_AFTER_WORD = re.compile(r"\W")


def hold_reading_statement(sql: str) -> None:
    """Raise `BadQuery` unless the text is exactly one statement that only reads.

    >>> hold_reading_statement("select 1")
    >>> hold_reading_statement("drop table decisions.verdicts")
    Traceback (most recent call last):
    marginwise.errors.BadQuery: Only statements that read are allowed, not DROP. Accepted: one select, ...
    """
    accepted = f"one {', '.join(READ_WORDS[:-1])} or {READ_WORDS[-1]} statement"
    try:
        statements = duckdb.extract_statements(sql)
    except duckdb.Error as error:
        raise BadQuery(first_line(error), accepted=accepted) from error
    if len(statements) != 1:
        kinds = [statement.type.name for statement in statements]
        raise BadQuery(f"The query has {len(kinds)} statements.", accepted=accepted)
    kind = statements[0].type.name
    word = _first_word(sql)
    if kind not in ("SELECT", "EXPLAIN") or word not in READ_WORDS:
        raise BadQuery(f"Only statements that read are allowed, not {word.upper()}.", accepted=accepted)


def _first_word(sql: str) -> str:
    found = _BEFORE_FIRST_WORD.sub("", sql, count=1).split(maxsplit=1)
    return _AFTER_WORD.split(found[0], maxsplit=1)[0].casefold() if found else ""


def first_line(error: duckdb.Error) -> str:
    """Return what the engine says is wrong, without its drawing of the place."""
    return str(error).strip().split("\n", 1)[0]
