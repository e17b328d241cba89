"""Looks at the installation and the project and says what would keep a run from working."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from marginwise.contract.loader import contracts
from marginwise.engine.duckdb import open_warehouse
from marginwise.engine.postgres import server_of
from marginwise.engine.publish import PUBLISHED_STORE
from marginwise.engine.stage_tables import tables_count, traffic_channels
from marginwise.errors import MarginwiseError, NothingPublished
from marginwise.ops.declared_spend import spend_on_unknown_channels
from marginwise.ops.file_fit import unfit_files
from marginwise.ops.source_mappings import source_mapping
from marginwise.serving.queries import PublishedStore
from marginwise.settings import SETTINGS_FILE, Settings, load_settings

__all__ = ["Finding", "examine"]

_NEEDED = ("duckdb", "dbt-core", "dbt-duckdb", "pyarrow", "numpy", "scipy")
_SMALL_DISK = 1 << 30


@dataclass(frozen=True)
class Finding:
    """One thing looked at: ok, a warning, or broken, with the detail that explains it."""

    check: str
    state: Literal["ok", "warning", "broken"]
    detail: str

    def as_dict(self) -> dict[str, str]:
        """Return the finding as plain fields."""
        return asdict(self)


def examine(project: Path) -> list[Finding]:
    """Examine Python, libraries, the contract and, where there is one, the project in the folder."""
    findings = [*_installation()]
    if not (project / SETTINGS_FILE).is_file():
        return [
            *findings,
            Finding("project", "warning", f"no {SETTINGS_FILE} in this folder; `marginwise init` writes one"),
        ]
    try:
        settings = load_settings(project)
    except MarginwiseError as error:
        return [*findings, Finding("settings", "broken", str(error))]
    return [*findings, Finding("settings", "ok", f"{len(settings.sources)} source(s)"), *_project(settings)]


def _installation() -> Iterator[Finding]:
    python = ".".join(map(str, sys.version_info[:3]))
    yield Finding("python", "ok" if sys.version_info >= (3, 11) else "broken", python)
    for name in _NEEDED:
        try:
            yield Finding(name, "ok", version(name))
        except PackageNotFoundError:
            yield Finding(name, "broken", "not installed")
    yield _tried("contract", lambda: f"{len(contracts())} tables")


def _project(settings: Settings) -> Iterator[Finding]:
    for name, source in settings.sources.items():
        yield _tried(f"mapping of {name}", lambda source=source: source_mapping(settings, source).name)  # type: ignore[misc]
        data = settings.directory / source.data
        yield Finding(f"data of {name}", "ok" if data.is_dir() else "broken", f"{source.data}" if data.is_dir() else f"no folder {source.data}")  # fmt: skip
        if data.is_dir():
            yield from _fit(settings, name, data)
    free = shutil.disk_usage(settings.directory).free
    yield Finding("disk", "ok" if free > _SMALL_DISK else "warning", f"{free / (1 << 30):.1f} GiB free")
    warehouse = settings.state_directory / "warehouse.duckdb"
    if warehouse.is_file():
        yield _tried("warehouse", lambda: f"{_open(warehouse)} tables")
        yield from _declared_spend(settings, warehouse)
    yield _tried("published store", lambda: _published(settings))
    if settings.warehouse.engine != "duckdb":
        yield _tried("server", lambda: _server(settings))


def _fit(settings: Settings, name: str, data: Path) -> Iterator[Finding]:
    """Hold the mapping of a source against the columns of its files."""
    try:
        mapping = source_mapping(settings, settings.sources[name])
    except MarginwiseError:
        return  # told by the finding before
    told = list(unfit_files(mapping, data))
    for stops, detail in told:
        yield Finding(f"files of {name}", "broken" if stops else "warning", detail)
    if not told:
        yield Finding(f"files of {name}", "ok", "all have the columns that the mapping names")


def _declared_spend(settings: Settings, warehouse: Path) -> Iterator[Finding]:
    if not settings.assumptions.spend:
        return
    try:
        con = open_warehouse(warehouse, read_only=True)
    except MarginwiseError:
        return  # told by the finding before
    try:
        unknown = spend_on_unknown_channels(con, settings) if traffic_channels(con) else []
    finally:
        con.close()
    for told in unknown:
        yield Finding(
            "declared spend", "warning", f"no order, visit, customer or stated spend names the channel {told}"
        )


def _open(warehouse: Path) -> int:
    con = open_warehouse(warehouse, read_only=True)
    try:
        return tables_count(con)
    finally:
        con.close()


def _published(settings: Settings) -> str:
    try:
        manifest = PublishedStore(settings.state_directory / PUBLISHED_STORE).manifest()
    except NothingPublished:
        return "none yet"
    return f"manifest {manifest.get('manifest_id')}"


def _server(settings: Settings) -> str:
    server = server_of(settings)
    return server.examine() if server else "none"


def _tried(check: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(check, "ok", look())
    except MarginwiseError as error:
        return Finding(check, "broken", str(error))
