"""Files that landed and are no longer in their folder: their rows count until they are forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from marginwise.engine.duckdb import transaction
from marginwise.engine.ledger import drop_content, raw_table_names, renew_activity
from marginwise.errors import MissingFile, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import duckdb

    from marginwise.connectors.mapping import LoadMode, Mapping
    from marginwise.engine.landed_views import LandingCheck

__all__ = ["GoneFile", "forget_files", "gone_checks", "gone_files"]

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class GoneFile:
    """A path that is no longer there while its content still counts."""

    raw_table: str
    load: LoadMode
    file_name: str
    file_hash: str
    row_count: int


def gone_files(con: duckdb.DuckDBPyConnection, sources: Iterable[tuple[Mapping, Path]]) -> list[GoneFile]:
    """Return the paths that are no longer there and whose rows still count.

    A content that also lies under another name is not gone. With ``load = "replace"`` only the newest content counts, so
    an older one may go in silence; with ``window`` one whose days newer files have replaced may.

    Parameters
    ----------
    con
        The warehouse, its landed views laid.
    sources
        The mapping and the folder of every source.
    """
    landed = raw_table_names(con)
    held: dict[str, list[tuple[str, str, int]]] = {}
    for raw_table, name, content, rows in con.execute(
        "select raw_table, file_name, file_hash, row_count"
        " from (select distinct raw_table, file_name, file_hash from ops.file_paths)"
        " join (select distinct raw_table, file_hash, row_count from ops.files where is_active) using (raw_table, file_hash)"
        " order by all"
    ).fetchall():
        held.setdefault(raw_table, []).append((name, content, rows))
    found = []
    for mapping, data_dir in sources:
        for group in mapping.files:
            raw_table = mapping.raw_table(group)
            paths = held.get(raw_table, []) if raw_table in landed else []
            there = {content for name, content, _ in paths if (data_dir / name).is_file()}
            gone = [GoneFile(raw_table, mapping.load_mode(group), *path) for path in paths if path[1] not in there]
            found += [file for file in gone if _still_counts(con, file)]
    return found


def gone_checks(files: Sequence[GoneFile]) -> list[LandingCheck]:
    """Return one note for each raw table that rests on files which are no longer there."""
    notes = []
    for raw_table in sorted({file.raw_table for file in files}):
        gone = {file.file_name: file for file in files if file.raw_table == raw_table}
        rows = sum({file.file_hash: file.row_count for file in gone.values()}.values())
        more = f" and {len(gone) - _SHOWN} more" if len(gone) > _SHOWN else ""
        whose = "1 file landed earlier is no longer there; its" if len(gone) == 1 else (
            f"{len(gone)} files landed earlier are no longer there; their"
        )  # fmt: skip
        told = (
            f"{whose} rows still count: {', '.join(list(gone)[:_SHOWN])}{more}. Remove with `marginwise forget FILE`."
        )
        notes.append((raw_table, "file_gone", rows, told))
    return notes


def forget_files(con: duckdb.DuckDBPyConnection, gone: Sequence[GoneFile], names: Sequence[str]) -> list[str]:
    """Take files out of the warehouse that are no longer in their folder; return their names.

    Parameters
    ----------
    con
        The warehouse, open for writing.
    gone
        What `gone_files` returned.
    names
        Names as told, or patterns such as ``2024-*.csv``.

    Raises
    ------
    MissingFile
        When a name fits no file that is gone; nothing is taken out then.
    """
    known = sorted({file.file_name for file in gone})
    for name in names:
        if not any(fnmatchcase(file_name, name) for file_name in known):
            raise MissingFile(
                f"No landed file that is gone is called {name!r}.", nearest=nearest(name, known), accepted=known,
                fix="A file that is still in its folder is left out by removing it there first.",
            )  # fmt: skip
    chosen = [file for file in gone if any(fnmatchcase(file.file_name, name) for name in names)]
    with transaction(con):
        for file in chosen:
            con.execute(
                "delete from ops.file_paths where raw_table = ? and file_name = ?", [file.raw_table, file.file_name]
            )
        for file in chosen:
            held = "select count(*) from ops.file_paths where raw_table = ? and file_hash = ?"
            if not con.execute(held, [file.raw_table, file.file_hash]).fetchall()[0][0]:
                drop_content(con, file.raw_table, file.file_hash)
            renew_activity(con, file.raw_table, file.load)
    return sorted({file.file_name for file in chosen})


def _still_counts(con: duckdb.DuckDBPyConnection, file: GoneFile) -> bool:
    """Say whether a row of the content is in a contract table; a content that is only joined to others always counts."""
    tables = con.execute("select table_name from ops.table_feeds where raw_table = ?", [file.raw_table]).fetchall()
    return not tables or any(
        con.execute(f"select 1 from landed.{table} where _file_hash = ? limit 1", [file.file_hash]).fetchall()
        for (table,) in tables
    )
