"""Finds the files of a source: which lie in its folder, which group they belong to, and the date in their name."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from marginwise.connectors.dialect import told_name
from marginwise.errors import MissingFile, nearest

if TYPE_CHECKING:
    from pathlib import Path

    from marginwise.connectors.mapping import FileGroup, Mapping

__all__ = ["SourceFile", "date_in_name", "find_files", "missing_data_folder", "missing_group", "reading_hash"]

READER_VERSION = "1"
_SUFFIXES = re.compile(r"(\.(csv|tsv|txt|tab|psv|dat|parquet|pq|gz|bz2|zst))+$", re.IGNORECASE)
_DATE = re.compile(r"(?<!\d)(\d{4})([-_.]?)(\d{2})\2(\d{2})(?!\d)")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of a group; `file_name` is its path below the source's folder, what is no UTF-8 of it escaped."""

    path: Path
    file_name: str
    twins: tuple[str, ...] = ()


def find_files(mapping: Mapping, group: str, data_dir: Path) -> list[SourceFile]:
    """Return the files of a group, by date and name; also what is there and no file, so that it is not passed over.

    Of files that differ in their format only (`orders.parquet` beside `orders.csv.gz`) the one whose pattern stands
    first is taken; the others are its twins and are left out.

    Raises
    ------
    MissingFile
        When the folder is not there.
    """
    if not data_dir.is_dir():
        raise missing_data_folder(mapping.name, data_dir)
    described = mapping.files[group]
    by_stem: dict[str, list[Path]] = {}
    for pattern in described.path:
        found = set(data_dir.glob(pattern))
        if (data_dir / pattern).is_symlink():  # one that points to nothing is found by patterns only, not by its name
            found.add(data_dir / pattern)
        for path in sorted(found):
            same = by_stem.setdefault(_SUFFIXES.sub("", _name(path, data_dir)), [])
            if not path.is_dir() and path not in same:
                same.append(path)
    files = []
    for paths in filter(None, by_stem.values()):
        name, *twins = (_name(path, data_dir) for path in paths)
        files.append(SourceFile(paths[0], name, tuple(twins)))
    return sorted(files, key=lambda file: (date_in_name(file.file_name, described) or dt.date.min, file.file_name))


def missing_data_folder(source: str, data_dir: Path) -> MissingFile:
    """Return the error of a source whose data folder is not there."""
    beside = [path.name for path in data_dir.parent.iterdir() if path.is_dir()] if data_dir.parent.is_dir() else []
    return MissingFile(
        f"The data folder {data_dir} of source {source!r} is not there.",
        nearest=nearest(data_dir.name, beside),
        fix=f"Bring it back, or correct `data` under [sources.{source}] in marginwise.toml.",
    )


def missing_group(mapping: Mapping, group: str, data_dir: Path) -> MissingFile:
    """Return the error of a group that has no file."""
    there = sorted(_name(path, data_dir) for path in data_dir.rglob("*") if path.is_file())
    patterns = mapping.files[group].path
    more = f" and {len(there) - 20} more" if len(there) > 20 else ""
    return MissingFile(
        f"Source {mapping.name!r}: no file in {data_dir} matches {' or '.join(patterns)} (file group {group!r}).",
        nearest=nearest(patterns[0].replace("*", ""), there),
        fix=f"The folder holds {', '.join(there[:20]) or 'no files'}{more}.",
    )


def date_in_name(file_name: str, group: FileGroup) -> dt.date | None:
    r"""Return the date a file declares in its name, or None.

    Examples
    --------
    >>> from marginwise.connectors.mapping import FileGroup
    >>> date_in_name("drops/sales_2024-01-01_2024-01-31.csv", FileGroup(path="*"))
    datetime.date(2024, 1, 31)
    >>> date_in_name("31-01-24.csv", FileGroup(path="*", file_date=r"(\d\d-\d\d-\d\d)")) is None
    True
    """
    if group.file_date:
        found = re.search(group.file_date, file_name)
        return _date("".join(part or "" for part in found.groups())) if found else None
    dates = [_date("".join(match.group(1, 3, 4))) for match in _DATE.finditer(file_name)]
    return next((date for date in reversed(dates) if date), None)


def reading_hash(group: FileGroup) -> str:
    """Return the hash of the options that decide how a file becomes rows; another hash means that it is read again."""
    options = (
        READER_VERSION,
        group.delimiter,
        group.encoding,
        group.quote,
        group.escape,
        group.header,
        group.columns,
        group.skip_rows,
    )
    return hashlib.sha256(repr(options).encode()).hexdigest()[:16]


def _name(path: Path, data_dir: Path) -> str:
    return told_name(path.relative_to(data_dir).as_posix())


def _date(digits: str) -> dt.date | None:
    digits = re.sub(r"\D", "", digits)
    try:
        date = dt.date(int(digits[:4]), int(digits[4:6]), int(digits[6:8])) if len(digits) == 8 else None
    except ValueError:
        return None
    return date if date and 1990 <= date.year <= 2100 else None
