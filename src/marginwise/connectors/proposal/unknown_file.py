"""Opens files nobody has described: dialect, lines before the header, header or not, and the rows as they are."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from marginwise.connectors.canonical import identifier, literal
from marginwise.connectors.dialect import Dialect, find_dialect, first_records, storage_kind
from marginwise.connectors.proposal.column_names import match_name
from marginwise.connectors.proposal.lexicon import concepts
from marginwise.connectors.proposal.second_table import is_header, repeated_headers
from marginwise.connectors.reader import Reading, inspect_file, read_text_file
from marginwise.errors import UnreadableFile

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import duckdb

__all__ = ["how_written", "load_raw"]

CELL_LIMIT = 8_000_000
_CONTROLS = "\r\n\t\x1f\x01\ufeff"


def how_written(path: Path) -> dict[str, Any]:
    """Find out the dialect, the lines before the header, and whether there is a header.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    dict
        What a file group declares of it; empty for Parquet.

    Raises
    ------
    UnreadableFile
        When it is no text file, is empty, or has no rows of one width.
    """
    if storage_kind(path) == "parquet":
        return {}
    dialect, sample, is_whole = find_dialect(path, Dialect())
    if not sample.strip():
        raise UnreadableFile(f"{path.name} is empty.", fix="Export it again.")
    start = sample[:4000]
    if "\0" in start or sum(not c.isprintable() and c not in _CONTROLS for c in start) > 0.05 * len(start):
        raise UnreadableFile(f"{path.name} is not a text file.", accepted="CSV (also compressed) and Parquet")
    records = first_records(sample, dialect, is_whole=is_whole)
    if not records:
        raise UnreadableFile(f"{path.name} cannot be cut into rows.", accepted="CSV (also compressed) and Parquet")
    widths = Counter(len(record) for record, _ in records)
    width = max(widths, key=lambda count: (widths[count] * (count > 1), count))
    full = [
        i for i, (record, _) in enumerate(records) if len(record) == width and sum(map(bool, record)) >= 0.6 * width
    ]
    first = full[0] if full else next(i for i, (record, _) in enumerate(records) if len(record) == width)
    settings: dict[str, Any] = {"delimiter": dialect.delimiter, "encoding": dialect.encoding}
    if dialect.encoding in ("utf-8", "utf-8-sig"):
        settings["encoding"] = (
            "utf-8-sig" if sample.startswith("\ufeff") or dialect.encoding == "utf-8-sig" else "utf-8"
        )
    if dialect.quote == "'":
        settings["quote"] = "'"
    if dialect.escape:
        settings["escape"] = dialect.escape
    _hold_no_table_above(path, [record for record, _ in records[:first]])
    skipped = records[first - 1][1] if first else 0
    if skipped and first <= 20:
        settings["skip_rows"] = skipped
    if not _has_header([record for record, _ in records[first:]]):
        settings |= {"header": False, "columns": tuple(f"column_{number}" for number in range(1, width + 1))}
    return settings


def _hold_no_table_above(path: Path, records: list[list[str]]) -> None:
    """Refuse a file whose lines above the table are a table of their own, rather than a title."""
    for number, record in enumerate(records[:-1], 1):
        if is_header(record) and len(records[number]) == len(record):
            raise UnreadableFile(
                f"{path.name} holds two tables: {len(records)} rows with {len(record)} columns "
                f"({', '.join(record[:8])}) stand above the larger one.",
                fix="Split the file into one file per table, and give `marginwise init` the folder of both.",
            )


def _has_header(records: list[list[str]]) -> bool:
    head, body = records[0], records[1:60]
    known = sum(
        any((match := match_name(cell, concept, None)) and match.score >= 0.8 for concept in concepts().values())
        for cell in head
    )
    data_like = sum(
        bool(re.fullmatch(r"[+-]?[\d.,:/ €$£-]*\d[\d.,:/ €$£-]*", cell.strip())) or "@" in cell for cell in head
    )
    if data_like:
        return known > data_like + 1
    if known or not body:
        return True
    repeated = sum(cell in {row[i] for row in body if i < len(row)} for i, cell in enumerate(head) if cell.strip())
    return repeated == 0


def load_raw(
    con: duckdb.DuckDBPyConnection,
    source: str,
    group: str,
    paths: Sequence[Path],
    settings: dict[str, Any],
    notes: list[str],
) -> tuple[int, int, bool]:
    """Load files of one shape into ``raw.<source>__<group>``, as far as a look needs.

    Parameters
    ----------
    con
        The database.
    source, group
        Names of the source and of the file group.
    paths
        The files.
    settings
        How they are written, as `how_written` found it.
    notes
        Takes what was odd about their headers.

    Returns
    -------
    int, int, bool
        Rows loaded, unreadable rows, and whether that is all there is.

    Raises
    ------
    UnreadableFile
        When a file cannot be read to the end.
    """
    raw = f"raw.{identifier(f'{source}__{group}')}"
    total, unreadable, is_whole, is_new = 0, 0, True, True
    for number, path in enumerate(paths):
        reading = Reading()
        shape = inspect_file(
            path,
            declared=Dialect(
                **{key: settings[key] for key in ("encoding", "delimiter", "quote", "escape") if key in settings}
            ),
            header=settings.get("header", True),
            columns=settings.get("columns", ()),
            skip_rows=settings.get("skip_rows", 0),
        )
        limit = max(1, CELL_LIMIT // max(1, len(shape.columns))) - total
        if limit <= 0:
            is_whole = False
            break
        if shape.is_parquet:
            listed = ", ".join(
                f"{identifier(a)} as {identifier(b)}" for a, b in zip(shape.file_columns, shape.columns, strict=True)
            )
            rows = f"select {listed}, row_number() over () as _row_number from read_parquet({literal(str(path))})"
            is_whole = is_whole and pq.read_metadata(path).num_rows <= limit
        else:
            con.register("incoming", read_text_file(path, shape, reading))
            rows = "select * from incoming"
        limited = f"select *, 'file{number}' as _file_hash from ({rows} limit {limit + 1})"
        con.execute(f"create or replace table {raw} as {limited}" if is_new else f"insert into {raw} by name {limited}")
        is_new = False
        if not shape.is_parquet:
            con.unregister("incoming")
        count = int(con.execute(f"select count(*) from {raw}").fetchall()[0][0]) - total
        is_whole = is_whole and count <= limit
        total += count
        unreadable += len(reading.unreadable)
        if reading.error is not None:
            raise reading.error
        notes += [f"{path.name}: {note}" for note in shape.notes if number == 0]
        if shape.dialect is not None:
            again = repeated_headers(
                con, raw, f"file{number}", shape.columns, reading.unreadable,
                name=path.name, delimiter=shape.dialect.delimiter or ",",
            )  # fmt: skip
            notes += [f"{path.name}: {again}"] if again else []
    return total, unreadable, is_whole
