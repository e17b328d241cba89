"""Sorts the files of a folder into groups of one shape, such as one file a day."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from marginwise.connectors.dialect import Dialect, storage_kind
from marginwise.connectors.proposal.lexicon import words_of
from marginwise.connectors.reader import inspect_file
from marginwise.errors import UnreadableFile

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["data_files", "group_files", "is_open"]

SUFFIXES = (".csv", ".tsv", ".txt", ".tab", ".dat", ".parquet", ".pq")
COMPRESSED = (".gz", ".bz2", ".zst")
_DIGITS = re.compile(r"\d+(?:[-_. T]\d+)*")
# a date or a running number: digits that stand alone, or are at least as many as a year has
_NUMBER = re.compile(r"(?<![^\W_])\d+(?:[-_. T]\d+)*(?![^\W_])|\d{4,}(?:[-_. T]\d+)*(?![^\W_])")
_RESERVED = frozenset(
    [
        "order",
        "group",
        "select",
        "from",
        "where",
        "table",
        "join",
        "all",
        "and",
        "or",
        "not",
        "union",
        "case",
        "when",
        "then",
        "else",
        "end",
        "as",
        "on",
        "in",
        "is",
        "by",
        "to",
        "user",
    ]
)


def data_files(folder: Path) -> list[Path]:
    """Return the files under a folder that may hold data, in a stable order; hidden ones are left out."""
    found = []
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        name = path.name.casefold()
        for suffix in COMPRESSED:
            name = name.removesuffix(suffix)
        if path.is_file() and name.endswith(SUFFIXES) and not any(part.startswith(".") for part in parts):
            found.append(path)
    return found


def group_files(files: Sequence[Path], root: Path) -> dict[str, tuple[list[Path], list[str]]]:
    """Sort files into groups: names that differ in digits only, and the same columns.

    Parameters
    ----------
    files
        The files.
    root
        The data folder.

    Returns
    -------
    dict
        Per group: its files in the order of their names, and the globs that name them relative to the folder. A date or
        running number in a name is left open, since the next export has another one, unless that takes in other files.
    """
    shapes: dict[tuple[str, tuple[str, ...]], list[Path]] = defaultdict(list)
    for path in files:
        relative = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
        shapes[re.sub(r"\d+", "0", relative), _columns(path) if len(files) > 1 else ()].append(path)
    groups: dict[str, tuple[list[Path], list[str]]] = {}
    for (pattern, _), paths in shapes.items():
        group = _group_name(pattern, groups)
        groups[group] = (sorted(paths), _globs(sorted(paths), files, root))
    return groups


def is_open(pattern: str) -> bool:
    """Tell whether a glob names more than one file.

    >>> is_open("orders_*.csv"), is_open("orders [[]1].csv")
    (True, False)
    """
    return "*" in pattern.replace("[*]", "")


def _globs(paths: list[Path], files: Sequence[Path], root: Path) -> list[str]:
    """Return the glob of a group, wide or narrower, that takes in no file of another shape; else the names themselves."""
    names = [path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name for path in paths]
    numbers = _NUMBER if len(paths) == 1 else _DIGITS
    for stand_in in ("*", "[0-9]*"):
        glob = numbers.sub(stand_in, _escaped(names[0]))
        others = [path for path in root.glob(glob) if path not in paths and path.is_file()]
        if all(path not in files and _is_alike(path, paths[0]) for path in others):
            return [glob]
    return [_escaped(name) for name in names]


def _is_alike(path: Path, other: Path) -> bool:
    same_name = re.sub(r"\d+", "0", path.name) == re.sub(r"\d+", "0", other.name)
    return same_name and _columns(path) == _columns(other)


def _columns(path: Path) -> tuple[str, ...]:
    try:
        if storage_kind(path) != "parquet" and path.stat().st_size == 0:
            return ()
        return inspect_file(path, declared=Dialect()).columns
    except UnreadableFile:
        return ("unreadable", path.name)


def _escaped(pattern: str) -> str:
    return re.sub(r"([\[?*])", r"[\1]", pattern)


def _group_name(pattern: str, taken: dict[str, tuple[list[Path], list[str]]]) -> str:
    stem = re.sub(r"(\.(csv|txt|tsv|tab|dat|parquet|pq|gz|bz2|zst))+$", "", Path(pattern).name, flags=re.IGNORECASE)
    words = [re.sub(r"[^a-z0-9]", "", word) for word in words_of(stem)]
    name = "_".join(word for word in words if word and not word.isdigit())[:40].strip("_")
    if not re.match(r"[a-z]", name) or name in _RESERVED:
        name = "rows" if not name else f"file_{name}"
    unique, number = name, 1
    while unique in taken:
        number += 1
        unique = f"{name}_{number}"
    return unique
