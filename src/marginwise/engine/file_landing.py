"""Lands one file in one transaction: rows unchanged in the raw table, broken rows beside, an entry in the ledger."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from marginwise.connectors.canonical import identifier, literal
from marginwise.connectors.dialect import hold_file
from marginwise.connectors.reader import FileShape, Reading, UnreadableRow, content_hash, inspect_file, read_text_file
from marginwise.connectors.relation import window_day
from marginwise.engine.duckdb import transaction
from marginwise.engine.hindrances import without_values
from marginwise.engine.ledger import (
    columns_of_raw_table,
    current_contents,
    drop_content,
    point_to_content,
    renew_activity,
    widen_raw_table,
)
from marginwise.engine.source_files import SourceFile, date_in_name, reading_hash
from marginwise.errors import UnreadableFile

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping as Dictionary
    from pathlib import Path

    from marginwise.connectors.mapping import Mapping

__all__ = ["Candidate", "land_file", "look_at", "note_path"]


@dataclass(slots=True)
class Candidate:
    """A file on its way into its raw table.

    `size_and_time` and `file_hash` say which content it is, `is_known` that it landed before; `shape` and `columns`
    (name and DuckDB type) are set once a content that must be read has been looked at.
    """

    mapping: Mapping
    group: str
    file: SourceFile
    size_and_time: tuple[int, int] = (0, 0)
    file_hash: str = ""
    is_known: bool = False
    shape: FileShape | None = None
    columns: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def raw_table(self) -> str:
        """The table its rows belong to."""
        return self.mapping.raw_table(self.group)

    @property
    def name(self) -> str:
        """Its path below the source's folder."""
        return self.file.file_name

    @property
    def reading_hash(self) -> str:
        """The hash of the options it is read with."""
        return reading_hash(self.mapping.files[self.group])


def look_at(con: duckdb.DuckDBPyConnection, candidate: Candidate, known: dict[str, str]) -> bool:
    """Find out a file's content and, when it must be read, its shape.

    Parameters
    ----------
    con
        The warehouse.
    candidate
        The file; filled in.
    known
        Hash of every landed content of the raw table, and of the options it was read with.

    Returns
    -------
    bool
        True when the content is new or must be read anew.

    Raises
    ------
    UnreadableFile
        When it cannot be read.
    """
    path = candidate.file.path
    hold_file(path)
    candidate.size_and_time = _size_and_time(path)
    candidate.file_hash = content_hash(path)
    if known.get(candidate.file_hash) == candidate.reading_hash:
        return False
    candidate.is_known = candidate.file_hash in known
    described = candidate.mapping.files[candidate.group]
    shape = inspect_file(
        path,
        declared=described.dialect,
        header=described.header,
        columns=described.columns,
        skip_rows=described.skip_rows,
    )
    candidate.shape = shape
    candidate.notes += shape.notes
    candidate.notes += [f"{twin} holds the same in another format and is left out" for twin in candidate.file.twins]
    if shape.is_parquet:
        *types, _ = [row[1] for row in _parquet(con, path, f"describe {_numbered(path, shape)}")]
        candidate.columns = dict(zip(shape.columns, types, strict=True))
    else:
        candidate.columns = dict.fromkeys(shape.columns, "VARCHAR")
    return True


def note_path(con: duckdb.DuckDBPyConnection, candidate: Candidate, moment: dt.datetime) -> None:
    """Record that a path holds a content that has landed before: a renamed file, or one set back."""
    raw_table = candidate.raw_table
    paths = current_contents(con, raw_table)
    held = paths.get(candidate.name)
    with transaction(con):
        if held is not None:  # set back: the content is the path's newest again
            con.execute(
                "update ops.files set landed_at = ? where raw_table = ? and file_hash = ?",
                [moment, raw_table, candidate.file_hash],
            )
        _point(con, candidate, paths)
        load = candidate.mapping.load_mode(candidate.group)
        renew_activity(con, raw_table, load)
        if _dated_by_its_name(con, candidate):
            renew_activity(con, raw_table, load)


def _dated_by_its_name(con: duckdb.DuckDBPyConnection, candidate: Candidate) -> bool:
    """Give a content the date in the name it is told by now; return whether that is another one."""
    content = [candidate.raw_table, candidate.file_hash]
    told = con.execute("select file_name, file_date from ops.files where raw_table = ? and file_hash = ?", content)
    name, before = told.fetchall()[0]
    day = date_in_name(name, candidate.mapping.files[candidate.group])
    if day in (None, before):
        return False
    con.execute("update ops.files set file_date = ? where raw_table = ? and file_hash = ?", [day, *content])
    return True


def land_file(
    con: duckdb.DuckDBPyConnection, candidate: Candidate, before: Dictionary[str, str], moment: dt.datetime
) -> tuple[int, int]:
    """Land one file, wholly or not at all.

    Parameters
    ----------
    con
        The warehouse.
    candidate
        The file.
    before
        The source columns of its raw table so far, and their types.
    moment
        When it lands.

    Returns
    -------
    int, int
        Rows landed and rows that were broken.

    Raises
    ------
    UnreadableFile
        When it cannot be read to its end, or was changed meanwhile; nothing of it has landed.
    """
    try:
        with transaction(con):
            return _land(con, candidate, before, moment)
    except (duckdb.DataError, duckdb.BinderException, duckdb.InvalidInputException) as error:
        raise UnreadableFile(
            f"{candidate.name} does not go with the files before it: {without_values(str(error))}.",
            fix="Write it again with the column types of those files.",
        ) from error


def _land(
    con: duckdb.DuckDBPyConnection, candidate: Candidate, before: Dictionary[str, str], moment: dt.datetime
) -> tuple[int, int]:
    raw_table = candidate.raw_table
    paths = current_contents(con, raw_table)
    if candidate.is_known:
        drop_content(con, raw_table, candidate.file_hash)
    notes = [*candidate.notes, *widen_raw_table(con, raw_table, before, candidate.columns)]
    present = {name.casefold() for name in candidate.columns}
    if present:
        notes += [f"column {name} is not in this file" for name in before if name.casefold() not in present]
    rows, unreadable = _insert(con, candidate)
    if _size_and_time(candidate.file.path) != candidate.size_and_time:
        raise UnreadableFile(f"{candidate.name} was changed while it was read.", fix="Run again once it is complete.")
    _keep_unreadable(con, candidate, unreadable)
    load = candidate.mapping.load_mode(candidate.group)
    file_date = date_in_name(candidate.name, candidate.mapping.files[candidate.group])
    if file_date is None and load in ("upsert", "window") and candidate.name in paths:
        file_date = moment.date()  # nothing else tells this content from the one it replaces
    texts = (candidate.file_hash, candidate.mapping.name, raw_table, candidate.name, candidate.reading_hash)
    file_hash, source, table, name, reading = map(literal, texts)
    counts = f"{rows}, {len(unreadable)}, {candidate.size_and_time[0]}"
    con.execute(
        f"insert into ops.files values ({file_hash}, {source}, {table}, {name}, ?, {counts}, ?, true, {reading}, ?, ?, ?)",
        [file_date, moment, *_window(con, candidate), "; ".join(notes) or None],
    )
    _point(con, candidate, paths)
    renew_activity(con, raw_table, load)
    candidate.notes = notes
    return rows, len(unreadable)


def _insert(con: duckdb.DuckDBPyConnection, candidate: Candidate) -> tuple[int, list[UnreadableRow]]:
    shape, path = candidate.shape, candidate.file.path
    if shape is None or not shape.columns:
        return 0, []
    names = ", ".join([*map(identifier, shape.columns), "_row_number", "_file_hash"])
    insert = f"insert into raw.{identifier(candidate.raw_table)} ({names})"
    file_hash = literal(candidate.file_hash)
    if shape.is_parquet:
        source = f"select *, {file_hash} from ({_numbered(path, shape)})"
        return int(_parquet(con, path, f"{insert} {source}")[0][0]), []
    listed = ", ".join(map(identifier, shape.columns))
    reading = Reading()
    con.register("landing_batches", read_text_file(path, shape, reading))
    try:
        inserted = con.execute(f"{insert} select {listed}, _row_number, {file_hash} from landing_batches").fetchall()
    except duckdb.Error:
        if reading.error:  # comes back wrapped by the engine
            raise reading.error from None
        raise
    con.unregister(
        "landing_batches"
    )  # after an error it goes with the transaction, in which nothing can be done any more
    return int(inserted[0][0]), reading.unreadable


def _keep_unreadable(con: duckdb.DuckDBPyConnection, candidate: Candidate, rows: list[UnreadableRow]) -> None:
    if not rows:
        return
    table = pa.table(
        {
            "row_number": pa.array([row.row_number for row in rows], pa.int64()),
            "reason": pa.array([row.reason for row in rows], pa.string()),
            "line_text": pa.array([row.line_text for row in rows], pa.string()),
        }
    )
    con.register("landing_unreadable", table)
    con.execute(
        "insert into raw.unreadable_rows select ?, ?, ?, row_number, reason, line_text from landing_unreadable",
        [candidate.mapping.name, candidate.raw_table, candidate.file_hash],
    )
    con.unregister("landing_unreadable")


def _window(con: duckdb.DuckDBPyConnection, candidate: Candidate) -> tuple[dt.date | None, dt.date | None]:
    if candidate.mapping.load_mode(candidate.group) != "window" or not candidate.columns:
        return None, None
    day = window_day(candidate.mapping, candidate.group, columns_of_raw_table(con, candidate.raw_table))
    rows = con.execute(
        f"select min({day}), max({day}) from raw.{identifier(candidate.raw_table)} as r where r._file_hash = ?",
        [candidate.file_hash],
    ).fetchall()
    return rows[0][0], rows[0][1]


def _point(con: duckdb.DuckDBPyConnection, candidate: Candidate, paths: dict[str, str]) -> None:
    root = candidate.file.path
    for _ in candidate.name.split("/"):
        root = root.parent
    for name, file_hash in paths.items():
        if file_hash == candidate.file_hash and name != candidate.name and not (root / name).exists():
            con.execute(
                "delete from ops.file_paths where raw_table = ? and file_name = ?", [candidate.raw_table, name]
            )  # renamed
    point_to_content(con, candidate.raw_table, candidate.name, candidate.file_hash)


def _size_and_time(path: Path) -> tuple[int, int]:
    try:
        stat = path.stat()
    except OSError as error:
        raise UnreadableFile(
            f"{path.name} cannot be opened: {error.strerror or error}.", fix="Check that it is there and may be read."
        ) from error
    return stat.st_size, stat.st_mtime_ns


def _numbered(path: Path, shape: FileShape) -> str:
    """Return the query of a Parquet file's columns in their places (two may bear one name, one none) and a row's number."""
    name = literal("".join(f"[{mark}]" if mark in "*?[" else mark for mark in str(path)))
    if "file_row_number" in map(str.casefold, shape.file_columns):  # then the engine's own one cannot be had
        return f"select *, row_number() over () from read_parquet({name})"
    return f"select * exclude (file_row_number), file_row_number + 1 from read_parquet({name}, file_row_number = true)"


def _parquet(con: duckdb.DuckDBPyConnection, path: Path, sql: str) -> list[tuple[Any, ...]]:
    try:
        return con.execute(sql).fetchall()
    except (duckdb.ConversionException, duckdb.OutOfRangeException) as error:
        raise UnreadableFile(
            f"{path.name} holds a value beyond what the engine can hold ({without_values(str(error))}).",
            fix="Write it again without such values: most often it is a time many thousand years away.",
        ) from error
    except duckdb.Error as error:
        raise UnreadableFile(
            f"{path.name} is no readable Parquet file: {without_values(str(error))}.", fix="Write or fetch it again."
        ) from error
