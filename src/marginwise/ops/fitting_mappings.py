"""Finds the mappings that fit the files of a folder: by the names of the files and by the columns inside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from marginwise.connectors.canonical import literal
from marginwise.connectors.compilation import Compiler
from marginwise.connectors.mapping import Mapping, load_mapping, pack_names
from marginwise.connectors.reader import inspect_file
from marginwise.engine.source_files import find_files
from marginwise.errors import MarginwiseError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["fitting_mappings", "fitting_packs"]


def fitting_mappings(paths: list[Path], folder: Path) -> list[Mapping]:
    """Return the mapping files among `paths` that name a file of the folder.

    Raises
    ------
    BadMapping
        When one of them names a file of the folder but does not load; what it lacks is named.
    """
    found = []
    for path in paths:
        mapping = load_mapping(path)
        if any(find_files(mapping, group, folder) for group in mapping.files):
            found.append(mapping)
    return found


def fitting_packs(folder: Path) -> list[Mapping]:
    """Return the packs whose files are in the folder with the columns they need, the one that reads most files first."""
    fitting = []
    for name in pack_names():
        mapping = load_mapping(name)
        files = {group: find_files(mapping, group, folder) for group in mapping.files}
        if any(not files[group] and not described.optional for group, described in mapping.files.items()):
            continue
        count = sum(map(len, files.values()))
        if count and _columns_fit(mapping, {group: found[0].path for group, found in files.items() if found}):
            fitting.append((count, mapping))
    return [mapping for _, mapping in sorted(fitting, key=lambda item: -item[0])]


def _columns_fit(mapping: Mapping, files: dict[str, Path]) -> bool:
    try:
        with Compiler(mapping, {group: _columns(mapping, group, path) for group, path in files.items()}) as compiler:
            for table in mapping.mapped_tables():
                compiler.table(table)
    except MarginwiseError:
        return False
    return True


def _columns(mapping: Mapping, group: str, path: Path) -> dict[str, str]:
    described = mapping.files[group]
    shape = inspect_file(
        path,
        declared=described.dialect,
        header=described.header,
        columns=described.columns,
        skip_rows=described.skip_rows,
    )
    if not shape.is_parquet:
        return dict.fromkeys(shape.columns, "VARCHAR")
    con = duckdb.connect(":memory:")
    try:
        types = [row[1] for row in con.execute(f"describe select * from read_parquet({literal(str(path))})").fetchall()]
    finally:
        con.close()
    return dict(zip(shape.columns, types, strict=True))
