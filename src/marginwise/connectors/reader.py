"""Reads one file as it is: every column of a text file as text, every row numbered, every broken row kept apart."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from marginwise.connectors.dialect import Dialect, find_dialect, first_records, storage_kind
from marginwise.errors import UnreadableFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["FileShape", "Reading", "UnreadableRow", "content_hash", "inspect_file", "read_text_file"]

BLOCK_BYTES = 8 * 1024 * 1024
MOST_COLUMNS = 1000
LINEAGE = ("_file_hash", "_row_number", "_file_date", "_landed_date", "_source", "_raw_table")


@dataclass(frozen=True, slots=True)
class UnreadableRow:
    """A row of a text file that has another number of fields than the file has columns.

    Parameters
    ----------
    row_number
        1 for the first data row; blank lines are not counted.
    reason
        What is wrong with it.
    line_text
        The row as it stands in the file.
    """

    row_number: int
    reason: str
    line_text: str


@dataclass(slots=True)
class Reading:
    """What came up while a file was read: its broken rows, and the error that ended it."""

    unreadable: list[UnreadableRow] = field(default_factory=list)
    error: UnreadableFile | None = None


@dataclass(frozen=True, slots=True)
class FileShape:
    """What a file looks like before it is read.

    Parameters
    ----------
    columns
        Clean, unique column names in file order.
    file_columns
        The names as they stand in the file (Parquet), in the same order.
    dialect
        How the text is written; None for Parquet.
    lines_before
        Physical lines before the first data row.
    notes
        What was odd about the header, in words.
    has_rows
        False when the file holds no row after its header.
    """

    columns: tuple[str, ...]
    file_columns: tuple[str, ...]
    dialect: Dialect | None
    lines_before: int = 0
    notes: tuple[str, ...] = field(default=())
    has_rows: bool = True

    @property
    def is_parquet(self) -> bool:
        """True when the file has its own column types."""
        return self.dialect is None


def content_hash(path: Path) -> str:
    """Return the SHA-256 of a file's bytes as they lie on disk.

    Raises
    ------
    UnreadableFile
        When the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UnreadableFile(
            f"{path.name} cannot be read: {error.strerror or error}.", fix="Check that it is there and may be read."
        ) from error


def inspect_file(
    path: Path,
    *,
    declared: Dialect,
    header: bool = True,
    columns: Sequence[str] = (),
    skip_rows: int = 0,
) -> FileShape:
    """Find out a file's dialect and columns without reading it to the end.

    Parameters
    ----------
    path
        A Parquet file or a delimited text, plain or compressed.
    declared
        What is known of its dialect.
    header
        True when the first row names the columns.
    columns
        Column names that replace the header, or stand in for it.
    skip_rows
        Physical lines before the header.

    Raises
    ------
    UnreadableFile
        When it cannot be read, has another number of columns than `columns` names, or more than a table may have.
    """
    if storage_kind(path) == "parquet":
        try:
            names = tuple(pq.read_schema(path).names)
        except (pa.ArrowException, OSError) as error:
            raise UnreadableFile(
                f"{path.name} is no readable Parquet file: {error}.", fix="Write or fetch it again."
            ) from error
        if not names:
            raise UnreadableFile(f"{path.name} is a Parquet file without columns.", fix="Write or fetch it again.")
        _hold_width(path, len(names))
        clean, notes = _clean_names(names)
        return FileShape(clean, names, None, notes=notes)
    dialect, sample, is_whole = find_dialect(path, declared, skip=skip_rows)
    records = first_records(sample, dialect, skip=skip_rows, is_whole=is_whole)
    if not records:
        if sample.strip() and not is_whole:
            raise UnreadableFile(
                f"{path.name}: its first row is longer than {len(sample)} characters.",
                fix="Declare `delimiter` and `quote` of its file group: a quote that never closes makes one long row.",
            )
        return FileShape((), (), dialect, notes=("the file is empty",), has_rows=False)
    first, lines = records[0]
    data = records[1:] if header else records
    width = Counter(len(record) for record, _ in data).most_common(1)[0][0] if data else len(first)
    _hold_width(path, max(width, len(first)))
    names = tuple(columns) or (tuple(first) if header else tuple("" for _ in range(width)))
    if columns and data and width != len(columns):
        raise UnreadableFile(
            f"{path.name} has {width} columns, the mapping names {len(columns)}: {', '.join(columns)}.",
            fix="Correct `columns`, `delimiter` or `quote` of its file group.",
        )
    if len(names) > width and not any(name.strip() for name in names[width:]):
        names = names[:width]
    if len(names) < width:
        names += tuple("" for _ in range(width - len(names)))
    clean, notes = _clean_names(names, is_named=header or bool(columns))
    return FileShape(clean, clean, dialect, lines if header else skip_rows, notes, has_rows=bool(data) or not is_whole)


def read_text_file(path: Path, shape: FileShape, reading: Reading) -> pa.RecordBatchReader:
    """Stream the rows of a text file as Arrow batches.

    Parameters
    ----------
    path
        The file.
    shape
        What `inspect_file` said of it.
    reading
        Filled while the batches are read.

    Returns
    -------
    pyarrow.RecordBatchReader
        All columns as text (an empty field is an empty text), then `_row_number` (int64, 1 = first data row).

    Raises
    ------
    UnreadableFile
        While reading, when the bytes turn out to be damaged or not in the encoding.
    """
    schema = pa.schema([*((name, pa.string()) for name in shape.columns), ("_row_number", pa.int64())])
    return pa.RecordBatchReader.from_batches(schema, _batches(path, shape, schema, reading))


def _batches(path: Path, shape: FileShape, schema: pa.Schema, reading: Reading) -> Iterator[pa.RecordBatch]:
    dialect = shape.dialect
    if not shape.has_rows or dialect is None:
        return
    broken: list[int] = []

    def keep(row: Any) -> str:
        number = row.number - shape.lines_before
        broken.append(number)
        reason = f"{row.actual_columns} fields instead of {row.expected_columns}"
        reading.unreadable.append(UnreadableRow(number, reason, row.text))
        return "skip"

    try:
        with dialect.open(path) as raw:
            is_utf8 = dialect.encoding in ("utf-8", "utf-8-sig")
            stream = raw if is_utf8 else pa.transcoding_input_stream(raw, dialect.encoding, "utf-8")
            reader = pc.open_csv(
                stream,
                # one thread: only then does Arrow tell the true number of a broken row
                read_options=pc.ReadOptions(
                    column_names=shape.columns, skip_rows=shape.lines_before, use_threads=False, block_size=BLOCK_BYTES
                ),
                parse_options=pc.ParseOptions(
                    delimiter=dialect.delimiter,
                    quote_char=dialect.quote or False,
                    double_quote=not dialect.escape,
                    escape_char=dialect.escape or False,
                    newlines_in_values=bool(dialect.quote),
                    invalid_row_handler=keep,
                ),
                convert_options=pc.ConvertOptions(
                    column_types=dict.fromkeys(shape.columns, pa.string()), strings_can_be_null=False
                ),
            )
            position = _Numbering(broken)
            for batch in reader:
                yield pa.RecordBatch.from_arrays([*batch.columns, position.take(batch.num_rows)], schema=schema)
    except (pa.ArrowException, OSError, EOFError, UnicodeError) as error:
        reading.error = UnreadableFile(
            f"{path.name} cannot be read as {dialect.encoding} text with the delimiter {dialect.delimiter!r}: {error}.",
            fix="Declare `encoding`, `delimiter` and `quote` of its file group, or fetch the file again.",
        )
        raise reading.error from error


class _Numbering:
    """Numbers the rows that were read, leaving out the numbers of the broken ones."""

    def __init__(self, broken: list[int]) -> None:
        self._broken = broken
        self._seen = 0
        self._next = 1

    def take(self, count: int) -> pa.Array:
        broken = np.array(self._broken[self._seen :], dtype=np.int64)
        numbers = np.arange(self._next, self._next + count + len(broken), dtype=np.int64)
        if len(broken):
            numbers = numbers[~np.isin(numbers, broken)][:count]
        if count:
            self._next = int(numbers[-1]) + 1
        while self._seen < len(self._broken) and self._broken[self._seen] < self._next:
            self._seen += 1
        return pa.array(numbers[:count])


def _hold_width(path: Path, count: int) -> None:
    if count > MOST_COLUMNS:
        raise UnreadableFile(
            f"{path.name} has {count:,} columns.",
            accepted=f"at most {MOST_COLUMNS:,} columns",
            fix="Export fewer, or declare `delimiter` and `quote` of its file group if it has not that many.",
        )


def _clean_names(names: Sequence[str], *, is_named: bool = True) -> tuple[tuple[str, ...], tuple[str, ...]]:
    clean: list[str] = []
    notes: list[str] = []
    taken: set[str] = set()
    for position, given in enumerate(names, 1):
        # no database names a column with a null character
        name = given.replace("\0", "").strip("\ufeff \t\r\n\u00a0").strip("\"'").strip()
        if not name:
            name = f"column_{position}"
            if is_named:
                notes.append(f"column {position} has no name, called {name}")
        wanted = f"source{name}" if name.casefold() in LINEAGE else name
        unique, number = wanted, 1
        while unique.casefold() in taken:
            number += 1
            unique = f"{wanted}_{number}"
        if unique != name:
            notes.append(f"the name {name} of column {position} is taken, called {unique}")
        taken.add(unique.casefold())
        clean.append(unique)
    return tuple(clean), tuple(notes)
