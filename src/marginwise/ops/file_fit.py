"""Holds a mapping against the files that are there, before a run does: what lacks a column, and what has no file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marginwise.connectors.compilation import Compiler
from marginwise.engine.source_files import find_files
from marginwise.errors import MarginwiseError
from marginwise.ops.fitting_mappings import file_columns

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from marginwise.connectors.mapping import Mapping

__all__ = ["unfit_files"]


def unfit_files(mapping: Mapping, folder: Path) -> Iterator[tuple[bool, str]]:
    """Yield what of a mapping does not bind to the files of a folder: whether that stops a run, and the words for it.

    Every header is held once, however many files share it. A file that lacks what is required stops a run; an optional
    column that no column of a file gives, and a group without any file, do not always.
    """
    columns: dict[str, dict[str, str]] = {}
    shapes: dict[tuple[str, tuple[tuple[str, str], ...]], str] = {}
    for group, described in mapping.files.items():
        files = find_files(mapping, group, folder)
        if not files and not described.optional:
            yield True, f"no file for the group {group}; accepted: {' or '.join(described.path)}"
        for file in files:
            try:
                found = file_columns(mapping, group, file.path)
            except MarginwiseError as error:
                yield True, f"{file.file_name}: {error}"
                continue
            shapes.setdefault((group, tuple(found.items())), file.file_name)
            columns[group] = {**found, **columns.get(group, {})}
    with Compiler(mapping, columns) as compiler:
        for (group, found_columns), name in shapes.items():
            try:
                lacks = compiler.check_file(group, dict(found_columns))
            except MarginwiseError as error:
                yield True, f"{name}: {error}"
                continue
            if lacks:
                yield False, f"{name} has no column for {', '.join(lacks)}"
