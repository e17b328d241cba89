"""Makes projects: a demo store, a project over a user's files, and the dbt project for those who use dbt itself."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from marginwise.connectors.mapping import FileGroup, Mapping, SourceHeader, TableMapping, load_mapping, pack_names
from marginwise.connectors.proposal.file_groups import data_files
from marginwise.connectors.proposal.propose import Proposal, propose_mapping, source_name
from marginwise.demo.knobs import Knobs
from marginwise.engine.dbt import project_directory, warehouse_variables
from marginwise.engine.publish import PUBLISHED_STORE
from marginwise.errors import BadSettings, MissingFile, nearest
from marginwise.ops.fitting_mappings import fitting_mappings, fitting_packs, pack_for
from marginwise.ops.settings_text import SourceEntry, settings_text
from marginwise.ops.source_mappings import source_mappings, sources_with_tax
from marginwise.settings import SETTINGS_FILE, load_settings

__all__ = ["create_demo", "create_project", "eject_warehouse", "warehouse_paths"]

WAREHOUSE = "warehouse.duckdb"
_NOT_COPIED = shutil.ignore_patterns(
    "target", "logs", "__pycache__", "dbt_packages", ".user.yml", "profiles.yml", "*.py"
)


def create_demo(
    directory: Path, knobs: Knobs, *, progress: Callable[[str, int, int], None] | None = None
) -> dict[str, Any]:
    """Generate a demo store and the settings to run it; twice is the same as once.

    Parameters
    ----------
    directory
        The project's folder; the files go to its ``data`` folder.
    knobs
        Size, seed and what is planted.
    progress
        Called with (what, done, total) as the files are written.

    Returns
    -------
    dict
        ``rows`` and ``files`` written, ``truth``, the file with what was planted, and ``drops``, the folders with the
        files of later days.

    Raises
    ------
    BadSettings
        When the folder holds another project.
    """
    from marginwise.demo.drops import DROPS_FOLDER
    from marginwise.demo.store import TRUTH_FILE, generate_store

    settings = directory / SETTINGS_FILE
    if settings.is_file() and not _is_demo(settings):
        raise BadSettings(f"{directory} holds another project.", fix="Choose a new folder for the demo store.")
    data = directory / "data"
    truth = generate_store(
        data,
        orders=knobs.orders,
        seed=knobs.seed,
        days=knobs.days,
        last_day=knobs.last_day,
        format=knobs.format,
        plan=knobs.plan(),
        drops=knobs.drops,
        store_id=knobs.store_id,
        progress=progress,
    )
    if not settings.is_file():
        text = settings_text(
            [SourceEntry("demo", "contract", "data")],
            store=truth.settings.get("store"),
            channels=truth.settings.get("channels"),
        )
        _write(settings, text)
    return {
        "rows": sum(truth.rows.values()),
        "files": sum(1 for rows in truth.rows.values() if rows),
        "truth": str(data / TRUTH_FILE),
        "drops": sorted({f"{data / DROPS_FOLDER / drop.date}" for drop in truth.drops}),
        "settings": str(settings),
    }


def create_project(project: Path, data: Path, *, pack: str | None = None, force: bool = False) -> dict[str, Any]:
    """Write a commented `marginwise.toml` for files of a known source or of a user's own.

    Parameters
    ----------
    project
        The folder that gets the settings.
    data
        The folder of the files, or one file.
    pack
        The known source's mapping. By default: a mapping that lies in the project already and fits the files, else a pack
        that fits them, else a proposed mapping, written beside the settings.
    force
        Replace settings and a proposed mapping that are there already.

    Returns
    -------
    dict
        ``told`` (lines for the user), ``settings`` and ``mapping``.

    Raises
    ------
    MissingFile
        When there are no files, or none of those that the pack reads.
    BadSettings
        When settings are there already and `force` is off.
    BadMapping
        When the pack is not known, or the mapping that is there does not load.
    """
    target = project / SETTINGS_FILE
    if target.exists() and not force:
        raise BadSettings(
            f"There is a {SETTINGS_FILE} in {project.resolve()} already.", fix="Use --force to replace it, or edit it."
        )
    if not data.exists():
        beside = [path.name for path in data.parent.iterdir()] if data.parent.is_dir() else []
        raise MissingFile(
            f"There is no folder {data}.", nearest=nearest(data.name, beside), fix="Name the folder of your files."
        )
    folder = data if data.is_dir() else data.parent
    files = [data] if data.is_file() else data_files(data)
    if not files:
        there = sorted(path.name for path in data.iterdir())
        more = f" and {len(there) - 20} more" if len(there) > 20 else ""
        raise MissingFile(
            f"{data} holds no CSV or Parquet file.",
            accepted="CSV (also .gz, .bz2, .zst), TSV, TXT and Parquet",
            fix=f"It holds {', '.join(there[:20]) or 'nothing'}{more}. Save workbooks as CSV.",
        )
    if pack is not None:
        mappings, told, proposal = (
            [pack_for(pack, folder)],
            [f"Reading {folder} with the mapping {pack!r} of this package."],
            None,
        )
    else:
        project.mkdir(parents=True, exist_ok=True)
        mappings, told, proposal = _chosen(project, folder, files, force=force)
    entries = [
        SourceEntry(mapping.name, _reference(mapping, project), _data_path(folder, project)) for mapping in mappings
    ]
    store = {
        "name": _title(project), "currency": next((m.source.currency for m in mappings if m.source.currency), "EUR"),
        "time_zone": next((m.source.time_zone for m in mappings if m.source.time_zone != "UTC"), "UTC"),
    }  # fmt: skip
    _write(target, settings_text(entries, store=store))
    where = "" if target.parent.resolve() == Path.cwd() else f" -p {project}"
    told += [f"Settings written to {target}. Look at [store], then run `marginwise run{where}`."]
    if proposal is not None and proposal.missing:
        told[-1] = f"Settings written to {target}. Complete the mapping first: it lacks {', '.join(proposal.missing)}."
    return {"told": told, "settings": str(target), "mapping": entries[0].mapping}


def warehouse_paths(project: Path) -> dict[str, str]:
    """Return where the published store, the build file and the dbt project of a project are."""
    state = load_settings(project).state_directory
    return {
        "published_store": str(state / PUBLISHED_STORE),
        "warehouse": str(state / WAREHOUSE),
        "dbt_project": str(project_directory()),
    }


def eject_warehouse(project: Path, directory: Path) -> dict[str, str]:
    """Copy the dbt project into a folder of its own, bound to a project's warehouse and settings.

    Parameters
    ----------
    project
        The project.
    directory
        A new or empty folder.

    Returns
    -------
    dict
        ``directory``, ``warehouse`` and the ``command`` that builds it.

    Raises
    ------
    BadSettings
        When the folder holds something already.
    MissingFile
        When nothing has been landed yet, so that there is nothing to build on.

    Notes
    -----
    The paths in its profile are relative to the folder, which is where dbt runs.
    """
    settings = load_settings(project)
    warehouse = settings.state_directory / WAREHOUSE
    if not warehouse.is_file():
        raise MissingFile(
            "Nothing has been landed yet, so there is no warehouse to bind to.", fix="Run `marginwise run` first."
        )
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise BadSettings(f"{directory} is not empty.", fix="Name a new folder for the dbt project.")
    shutil.copytree(project_directory(), directory, ignore=_NOT_COPIED, dirs_exist_ok=True)
    declared = yaml.safe_load((directory / "dbt_project.yml").read_text(encoding="utf-8"))
    declared["vars"] = {
        **declared.get("vars", {}),
        **warehouse_variables(settings, sources_with_tax(source_mappings(settings))),
    }
    text = "# The warehouse of Marginwise with the settings of one store; made by `marginwise warehouse eject`.\n"
    _write(directory / "dbt_project.yml", text + yaml.safe_dump(declared, sort_keys=False, allow_unicode=True))
    relative = Path(os.path.relpath(warehouse, directory.resolve())).as_posix()
    profile = {
        declared["profile"]: {
            "target": "duckdb",
            "outputs": {"duckdb": {"type": "duckdb", "path": relative, "schema": "main", "threads": 2}},
        }
    }
    _write(
        directory / "profiles.yml",
        "# Paths are relative to this folder: run dbt here.\n" + yaml.safe_dump(profile, sort_keys=False),
    )
    _write(directory / ".gitignore", "target/\nlogs/\n.user.yml\n")
    return {
        "directory": str(directory),
        "warehouse": str(warehouse),
        "command": f"cd {directory} && dbt build --profiles-dir .",
    }


def _is_demo(settings: Path) -> bool:
    sources = load_settings(settings).sources
    return list(sources) == ["demo"] and sources["demo"].mapping == "contract" and str(sources["demo"].data) == "data"


def _chosen(
    project: Path, folder: Path, files: list[Path], *, force: bool
) -> tuple[list[Mapping], list[str], Proposal | None]:
    there = sorted(project.glob("*.map.toml"))
    own = fitting_mappings(there, folder)
    used = [Path(mapping.origin).name for mapping in own]
    told = [f"Using the mapping {name}, which fits the files." for name in used]
    told += [f"Not used: {path.name} names no file of {folder}." for path in there if path.name not in used]
    if own:
        return own, told, None
    packs = fitting_packs(folder)
    if packs:
        look = packs[0].source.description or packs[0].name
        return packs[:1], [*told, f"The files fit the mapping {packs[0].name!r}, which is used: {look}."], None
    name = source_name(files[0] if len(files) == 1 else folder)
    proposal = propose_mapping(files, root=folder, name=name)
    target = project / f"{name}.map.toml"
    if target.exists() and not force:
        raise BadSettings(
            f"{target.name} is there already and does not fit the files in {folder}.",
            fix="Edit it, or replace it with --force.",
        )
    _write(target, proposal.text)
    told += [f"Mapping proposed in {target}: {proposal.summary}", *proposal.unused]
    if proposal.missing:
        return [_unfinished(name, target, proposal)], told, proposal
    return [load_mapping(target)], told, proposal


def _unfinished(name: str, target: Path, proposal: Proposal) -> Mapping:
    """Stand in for a mapping that does not load yet, so that the settings can name it."""
    currency = re.search(r'^currency = "([A-Z]{3})"', proposal.text, re.MULTILINE)
    zone = re.search(r'^time_zone = "([^"]+)"', proposal.text, re.MULTILINE)
    return Mapping(
        source=SourceHeader(name=name, currency=currency[1] if currency else None, time_zone=zone[1] if zone else "UTC"),
        files={"none": FileGroup(path=("none",))}, tables=(TableMapping(table="orders", from_="none"),), origin=str(target),
    )  # fmt: skip


def _reference(mapping: Mapping, project: Path) -> str:
    path = Path(mapping.origin)
    return (
        _relative(path, project)
        if path.suffix == ".toml"
        else mapping.name
        if mapping.name in pack_names()
        else mapping.origin.removeprefix("pack ")
    )


def _data_path(folder: Path, project: Path) -> str:
    """Return the data folder as the settings name it: as it was given, but relative inside the project, which may move."""
    if folder.is_absolute() and not folder.resolve().is_relative_to(project.resolve()):
        return folder.as_posix()
    return _relative(folder, project)


def _relative(path: Path, project: Path) -> str:
    return Path(os.path.relpath(path.resolve(), project.resolve())).as_posix()


def _title(project: Path) -> str:
    words = re.sub(r"[-_]+", " ", project.resolve().name).strip()
    return words[:1].upper() + words[1:] if words else "Store"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
