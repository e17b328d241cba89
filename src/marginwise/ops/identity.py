"""What a run's numbers depend on, as its manifest says it: as-of day, inputs, settings, code and engine."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb

from marginwise.connectors.mapping import Mapping as SourceMapping
from marginwise.engine.dbt import project_directory
from marginwise.engine.stage_tables import active_files, as_of_date
from marginwise.settings import Settings

__all__ = ["code_identity", "run_identity"]

_CODE_SUFFIXES = {".py", ".sql", ".yml", ".yaml", ".csv", ".toml"}
_MODEL = {"science", "decisions"}
_DEFINITION = {"contract", "connectors", "engine", "warehouse"}
_STORE_IS_NO_DEFINITION = {"name", "as_of"}


def run_identity(
    con: duckdb.DuckDBPyConnection, settings: Settings, mappings: Mapping[str, SourceMapping], *, engine: str
) -> dict[str, Any]:
    """Return what the id of a run's manifest is made of besides its tables.

    Parameters
    ----------
    con
        An open connection to the warehouse.
    settings
        The store's settings.
    mappings
        The mapping of every source, by the source's name.
    engine
        What built the warehouse, and its version.

    Returns
    -------
    dict
        ``as_of_date``, ``inputs`` (every file that counts), ``settings`` and ``code`` (hashes of all), ``declared``
        (the settings by what they govern, definition or cost), ``code_parts`` (hashes of the code that does),
        ``engine`` and ``version``.
    """
    return {
        "as_of_date": str(as_of_date(con)),
        "inputs": active_files(con),
        "settings": settings.identity(),
        "declared": {
            "definition": dict(sorted(_definitions(settings, mappings))),
            "cost": dict(sorted(_flat("assumptions", settings.assumptions.model_dump(mode="json", by_alias=True)))),
        },
        "code": code_identity(),
        "code_parts": {
            "definition": code_identity(_is_definition),
            "model": code_identity(_is_model),
        },
        "engine": engine,
        "version": version("marginwise"),
    }


def _is_definition(path: Path) -> bool:
    return path.parts[0] in _DEFINITION


def _is_model(path: Path) -> bool:
    return path.parts[0] in _MODEL and not path.name.startswith("memo")  # how one is worded is no part of the model


@cache
def code_identity(is_part: Callable[[Path], bool] = lambda path: True) -> str:
    """Return the SHA-256 over every file of the package that a number can depend on, or over a part of them.

    It is that of the code as it was when it was first asked for: a process does not read its own anew.

    Parameters
    ----------
    is_part
        Told the path of a file inside the package.
    """
    package = project_directory().parent
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*")):
        inside = path.relative_to(package)
        if path.suffix in _CODE_SUFFIXES and "target" not in inside.parts and is_part(inside):
            digest.update(str(inside).encode() + path.read_bytes())
    return digest.hexdigest()


def _definitions(settings: Settings, mappings: Mapping[str, SourceMapping]) -> Iterator[tuple[str, Any]]:
    yield from _flat("store", settings.store.model_dump(mode="json", exclude=_STORE_IS_NO_DEFINITION))
    yield from _flat("channels", settings.channels.model_dump(mode="json"))
    yield from _flat("decisions", settings.decisions.model_dump(mode="json"))
    if settings.channels.rules is not None:
        yield "channels.rules_content", _hash((settings.directory / settings.channels.rules).read_bytes())
    for name, mapping in mappings.items():
        yield f"sources.{name}.mapping", settings.sources[name].mapping
        yield f"sources.{name}.mapping_content", _hash(mapping.model_dump_json().encode())


def _flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield every value with its dotted name; what is not set is left out."""
    if isinstance(value, dict):
        for part, inner in value.items():
            yield from _flat(f"{name}.{part}", inner)
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value, start=1):
            yield from _flat(f"{name}.{number}", inner)
    elif value is not None:
        yield name, value


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
