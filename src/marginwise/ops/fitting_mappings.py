"""Finds the mappings that fit the files of a folder: by the names of the files and by the columns inside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from marginwise.connectors.compilation import Compiler
from marginwise.connectors.mapping import Mapping, load_mapping, pack_names
from marginwise.connectors.reader import inspect_file
from marginwise.engine.source_files import find_files
from marginwise.errors import BadMapping, MarginwiseError, MissingFile, nearest

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["file_columns", "fitting_mappings", "fitting_packs", "pack_for"]


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


def pack_for(pack: str, folder: Path) -> Mapping:
    """Return a pack whose files lie in the folder.

    Raises
    ------
    BadMapping
        When there is no such pack.
    MissingFile
        When the folder lacks files that the pack needs: says which are expected, which are there, and what comes nearest.
    """
    if pack not in pack_names():
        raise BadMapping(f"There is no pack {pack!r}.", accepted=pack_names(), nearest=nearest(pack, pack_names()),
                         fix="For your own files, leave the pack out.")  # fmt: skip
    mapping = load_mapping(pack)
    missing = _missing_groups(mapping, folder)
    if not missing:
        return mapping
    there = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    more = f" and {len(there) - 20} more" if len(there) > 20 else ""
    patterns = [pattern for group in missing for pattern in mapping.files[group].path]
    near = [path for path in (*sorted(folder.iterdir()), folder.resolve().parent)
            if path.is_dir() and not _missing_groups(mapping, path)]  # fmt: skip
    close = next((found for pattern in patterns if (found := nearest(pattern.replace("*", ""), there))), None)
    others = [other.name for other in fitting_packs(folder)]
    advice = f"`marginwise init {others[0]} {folder}` would fit" if others else "for your own files, leave the pack out"
    raise MissingFile(
        f"{folder} lacks files of the pack {pack!r}: {', '.join(missing)}.",
        accepted="; ".join(f"{group}: {' or '.join(mapping.files[group].path)}" for group in missing),
        nearest=str(near[0]) if near else close,
        fix=f"The folder holds {', '.join(there[:20]) or 'no files'}{more}. Name the folder of the files; {advice}.",
    )


def _missing_groups(mapping: Mapping, folder: Path) -> list[str]:
    """Return the file groups a mapping needs that have no file here; all of them when there is none at all."""
    found = {group: bool(find_files(mapping, group, folder)) for group in mapping.files}
    if not any(found.values()):
        return [group for group, described in mapping.files.items() if not described.optional] or list(found)
    return [group for group, described in mapping.files.items() if not described.optional and not found[group]]


def fitting_packs(folder: Path) -> list[Mapping]:
    """Return the packs whose files are in the folder with the columns they need, the one that reads most files first."""
    fitting = []
    for name in pack_names():
        mapping = load_mapping(name)
        if _missing_groups(mapping, folder):
            continue
        files = {group: find_files(mapping, group, folder) for group in mapping.files}
        count = sum(map(len, files.values()))
        if count and _columns_fit(mapping, {group: found[0].path for group, found in files.items() if found}):
            fitting.append((count, mapping))
    return [mapping for _, mapping in sorted(fitting, key=lambda item: -item[0])]


def _columns_fit(mapping: Mapping, files: dict[str, Path]) -> bool:
    try:
        with Compiler(
            mapping, {group: file_columns(mapping, group, path) for group, path in files.items()}
        ) as compiler:
            for table in mapping.mapped_tables():
                compiler.table(table)
    except MarginwiseError:
        return False
    return True


def file_columns(mapping: Mapping, group: str, path: Path) -> dict[str, str]:
    """Return the columns of one file of a group and their DuckDB types.

    Raises
    ------
    UnreadableFile
        When it cannot be read.
    """
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
        types = [str(kind) for kind in con.read_parquet(str(path)).types]
    finally:
        con.close()
    return dict(zip(shape.columns, types, strict=True))
