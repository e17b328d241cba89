"""Tells which rows of its files a row of a contract table is made of, so that new files renew only what they touch."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from marginwise.connectors.canonical import identifier
from marginwise.connectors.relation import cleaned_columns
from marginwise.contract.loader import contracts

if TYPE_CHECKING:
    from collections.abc import Mapping as Dictionary

    from marginwise.connectors.mapping import Mapping, TableMapping

__all__ = ["only_rows", "row_key", "rows_of_keys"]

_OF_SEVERAL_ROWS = re.compile(r"\b(over|select)\b|\(\s*(from|table)\b", re.IGNORECASE)
_NOT_OF_THE_ROW = re.compile(r"--|/\*|\b_(file|landed)_date\b", re.IGNORECASE)


def row_key(mapping: Mapping, entry: TableMapping, *, is_alone: bool) -> str | None:
    """Return the expression that all rows of the file group share of which one row of the table is made.

    Parameters
    ----------
    mapping
        The mapping.
    entry
        One of its tables.
    is_alone
        True when the table reads no file group but its own.

    Returns
    -------
    str or None
        Empty where each row is made of one row, whatever other rows and files there are; None where any row of any
        file may matter.

    Examples
    --------
    >>> from marginwise.connectors.mapping import load_mapping
    >>> pack = load_mapping("online_retail")
    >>> [(entry.table, row_key(pack, entry, is_alone=True)) for entry in pack.tables[1:4]]
    [('order_items', '"InvoiceNo"'), ('refunds', '"InvoiceNo"'), ('customers', '"CustomerID"')]
    """
    if entry.join or not is_alone or mapping.load_mode(entry.group) == "window":
        return None
    key = ", ".join(_keys(entry))
    text = " ".join((entry.where, *entry.columns.values()))
    if not (entry.number_within or entry.one_row_per):
        return None if _OF_SEVERAL_ROWS.search(text) else ""
    if (entry.number_within and entry.one_row_per) or not key or _NOT_OF_THE_ROW.search(key):
        return None
    if entry.one_row_per and _may_be_one_when_converted(entry):
        return None
    within = rf"\b(?i:over\s*\(\s*partition\s+by)\s+{re.escape(key)}\s*(?=\)|(?i:order\s+by\b))"
    return None if _OF_SEVERAL_ROWS.search(f"{re.sub(within, '', text)} {key}") else key


def rows_of_keys(mapping: Mapping, entry: TableMapping, columns: Dictionary[str, str], *, key: str, chosen: str) -> str:
    """Return the query of `_file_hash` and `_row_number` of a raw table's rows that have chosen keys.

    Rows of contents that no longer count are among them.

    Parameters
    ----------
    mapping
        The mapping.
    entry
        One of its tables.
    columns
        The columns of its group's raw table and their DuckDB types.
    key
        Its `row_key`.
    chosen
        What follows ``select _key from keyed``, where `keyed` has the columns `_file_hash`, `_row_number` and `_key`.
    """
    cleaned = ", ".join(cleaned_columns(mapping, entry.group, columns))
    return (
        # a key that cannot be told, maybe in a content that counts no more, is none: such rows are reached together
        f"with keyed as not materialized (\n    select _file_hash, _row_number, try(({key})) as _key"
        f"\n    from (select {cleaned}, r._file_hash, r._row_number"
        f" from raw.{identifier(mapping.raw_table(entry.group))} as r) as {identifier(entry.alias)}\n)"
        f"\nselect _file_hash, _row_number from keyed semi join (select _key from keyed {chosen}) as chosen"
        "\n    on keyed._key is not distinct from chosen._key"
    )


def only_rows(query: str, raw_table: str, condition: str) -> str:
    """Return a compiled query over those rows of a raw table alone that fit a condition.

    >>> only_rows('select * from raw."lines" as r', "lines", "_row_number = 1")
    'select * from (from raw."lines" where _row_number = 1) as r'
    """
    table = f"raw.{identifier(raw_table)}"
    return query.replace(f"from {table} as r", f"from (from {table} where {condition}) as r")


def _keys(entry: TableMapping) -> list[str]:
    """Return the expressions of the key; none where the mapping does not tell them all."""
    if entry.number_within:
        return [entry.number_within.strip()]
    if not set(entry.one_row_per) <= entry.columns.keys():  # taken from the files by `same_names`
        return []
    return [entry.columns[name].strip() for name in entry.one_row_per]


def _may_be_one_when_converted(entry: TableMapping) -> bool:
    """Tell whether two values of the key may become one: a moment is written in several ways."""
    kinds = {column.name: column.type for column in contracts()[entry.table].columns}
    return any(kinds.get(name) == "timestamp" for name in entry.one_row_per)
