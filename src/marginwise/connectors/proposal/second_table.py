"""Finds a second header inside a file: two tables put one below the other, or exports put together with their headers."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from marginwise.connectors.canonical import identifier, literal
from marginwise.connectors.proposal.column_names import match_name
from marginwise.connectors.proposal.lexicon import concepts
from marginwise.errors import UnreadableFile

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from marginwise.connectors.reader import UnreadableRow

__all__ = ["is_header", "repeated_headers"]

_MOST = 50


def is_header(cells: Sequence[str]) -> bool:
    """Tell whether the cells of a row read as names of columns: all filled and different, most of them known.

    >>> is_header(["order_id", "sku", "quantity", "x"]), is_header(["Anna", "Berlin", "blue"])
    (True, False)
    """
    named = [cell.strip() for cell in cells]
    if len(named) < 2 or not all(named) or len(set(named)) < len(named) or any(cell.isdigit() for cell in named):
        return False
    known = sum(
        any((match := match_name(cell, concept, None)) and match.score >= 0.9 for concept in concepts().values())
        for cell in named
    )
    return known >= max(2, 0.6 * len(named))


def repeated_headers(
    con: duckdb.DuckDBPyConnection,
    raw: str,
    file_hash: str,
    columns: Sequence[str],
    unreadable: Sequence[UnreadableRow],
    *,
    name: str,
    delimiter: str,
) -> str:
    """Return what to tell of headers that come again, empty when there are none.

    Parameters
    ----------
    con
        The database with the rows.
    raw, file_hash
        Table of the rows, and which of them are the file's.
    columns
        Names of its columns.
    unreadable
        Its rows with another number of fields.
    name, delimiter
        The file's name and the sign between its fields.

    Raises
    ------
    UnreadableFile
        When another table begins inside the file.
    """
    listed = ", ".join(map(identifier, columns))
    rows = con.execute(
        f"select _row_number, {listed} from {raw} where _file_hash = {literal(file_hash)}"
        f" and not regexp_matches(concat_ws('', {listed}), '\\d') and {identifier(columns[0])} <> '' limit {_MOST}"
    ).fetchall()
    found = [(int(row[0]), [str(cell or "") for cell in row[1:]]) for row in rows]
    found += [(row.row_number, next(csv.reader([row.line_text], delimiter=delimiter))) for row in unreadable[:_MOST]]
    own = [column.casefold() for column in columns]
    repeated = []
    for number, cells in sorted(found):
        if [cell.strip().casefold() for cell in cells] == own:
            repeated.append(number)
        elif is_header(cells):
            raise UnreadableFile(
                f"{name} holds two tables: row {number:,} after the header is the header of another one "
                f"({', '.join(cells[:8])}).",
                fix="Split the file there into one file per table, and give `marginwise init` the folder of both.",
            )
    if not repeated:
        return ""
    return f"the header comes again in {len(repeated):,} row(s), first in row {repeated[0]:,}: these go to quarantine"
