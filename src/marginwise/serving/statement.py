"""Which SQL a reader of the published store may send: exactly one statement that only reads."""

from __future__ import annotations

import duckdb

from marginwise.errors import BadQuery

__all__ = ["first_line", "hold_reading_statement"]

READ_WORDS = ("select", "with", "describe", "show", "from", "values", "summarize", "table", "explain")


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
        raise BadQuery(first_line(error)) from error
    if len(statements) != 1:
        kinds = [statement.type.name for statement in statements]
        raise BadQuery(f"The query has {len(kinds)} statements.", accepted=accepted)
    kind = statements[0].type.name
    word = _first_word(statements[0].query)
    if kind not in ("SELECT", "EXPLAIN") or word not in READ_WORDS:
        raise BadQuery(f"Only statements that read are allowed, not {word.upper()}.", accepted=accepted)


def _first_word(statement: str) -> str:
    tokens = duckdb.tokenize(statement)
    ends = [position for position, _ in tokens[1:]] + [len(statement)]
    words = [statement[start:end].strip() for (start, kind), end in zip(tokens, ends, strict=True)
             if kind != duckdb.token_type.comment]  # fmt: skip
    found = next((word for word in words if word.strip("(")), "")
    return found.split()[0].strip("(").casefold() if found else ""


def first_line(error: duckdb.Error) -> str:
    """Return what the engine says is wrong, without its drawing of the place."""
    return str(error).strip().split("\n", 1)[0]
