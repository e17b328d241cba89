"""Runs the dbt project inside the package: the only caller of dbt.

One `dbtRunner` per process, and the parsed project is kept, so that the second invocation of a run costs no parsing.
"""

from __future__ import annotations

import atexit
import gc
import hashlib
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from copy import copy
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar

from marginwise.engine.dbt_savings import (
    NODE_DONE,
    NODES_COUNTED,
    TEMPLATES,
    MacrosInReach,
    give_in_reach,
    macros_in_reach,
    schemas_believed,
    spare_what_is_not_read,
)
from marginwise.engine.duckdb import options_for_few_rows
from marginwise.engine.hindrances import fails_on_a_value, is_of_a_value
from marginwise.engine.postgres import PostgresServer
from marginwise.errors import BuildFailed, MarginwiseError
from marginwise.settings import Settings

__all__ = ["NodeResult", "WarehouseProject", "project_directory", "warehouse_variables"]

_STAYS = "The previous published store stays as it was; `marginwise --verbose run` shows where it happened."
_CHECKED = "chk_"
Progress = Callable[[str, int, int], None]
PARSED_FOR = "warehouse.duckdb"
"""Any file of this name: relations are named after it, and every project calls its warehouse so."""


@dataclass(frozen=True)
class NodeResult:
    """What became of one model, seed or test: its name, kind, status, seconds, failing rows and message."""

    name: str
    kind: str
    status: str
    seconds: float
    failures: int
    message: str


def project_directory() -> Path:
    """Return the folder of the dbt project that ships inside the package."""
    return Path(str(files("marginwise") / "warehouse"))


def warehouse_variables(settings: Settings, sources_with_tax: Sequence[str] = ()) -> dict[str, Any]:
    """Return the dbt variables that stand for the settings.

    Parameters
    ----------
    settings
        The store's settings.
    sources_with_tax
        Names of the sources whose prices include tax (stated in their mappings).
    """
    store, decisions, channels = settings.store, settings.decisions, settings.channels
    days = {"as_of": store.as_of, "opened_on": store.opened_on, "window_start": decisions.window_start,
            "window_end": decisions.window_end}  # fmt: skip
    return {
        "reporting_currency": store.currency,
        "time_zone": store.time_zone,
        "business_model": store.business_model,
        "prices_include_tax_sources": sorted(sources_with_tax),
        "affiliate_commission_in": channels.affiliate_commission_in,
        "session_lookback_days": channels.session_lookback_days,
        "last_touch_days": channels.last_touch_days,
        "horizon_days": decisions.horizon_days,
        "window_days": decisions.window_days,
        **{name: day.isoformat() if day else None for name, day in days.items()},
    }


class WarehouseProject:
    """The dbt project bound to one warehouse and one set of variables.

    Parameters
    ----------
    warehouse
        The DuckDB file of the project; its folder also takes dbt's target and log folders.
    variables
        Values for `var(...)`, see `warehouse_variables`.
    server
        The PostgreSQL server that dbt builds on; without one it builds in the file.
    options
        What the engine may take of the machine, see `engine_options`; without them what it likes.
    threads
        How many models are built at once; in the file, not more than the engine works on cores.
    """

    _parsed: ClassVar[dict[tuple[str | None, ...], tuple[Any, MacrosInReach]]] = {}

    def __init__(
        self,
        warehouse: Path,
        variables: dict[str, Any],
        *,
        server: PostgresServer | None = None,
        options: Mapping[str, str] | None = None,
        threads: int = 2,
    ) -> None:
        self.warehouse = warehouse
        self.variables = variables
        self.server = server
        self.options = options or {}
        self.threads = threads if server else min(threads, int(self.options.get("threads", threads)))

    def build(
        self,
        select: str,
        *,
        exclude: str | None = None,
        anew: bool = True,
        unit_tests: bool = False,
        progress: Progress | None = None,
    ) -> list[NodeResult]:
        """Build and test the selected nodes in dependency order.

        Parameters
        ----------
        select, exclude
            dbt node selection, such as ``tag:check``.
        anew
            Make everything anew; else kept models take only what is new or touched.
        unit_tests
            Also run the models' unit tests, which prove the models and say nothing of a store's data.
        progress
            Called with (node name, nodes done, nodes in all) after each node.

        Raises
        ------
        BuildFailed
            When a model or a test fails; names each with its message.
        """
        arguments = ["build", "--indirect-selection", "cautious", "--select", *select.split()]
        if exclude:
            arguments += ["--exclude", *exclude.split()]
        if anew:
            arguments.append("--full-refresh")
        if not unit_tests:
            arguments += ["--exclude-resource-type", "unit_test"]
        results = self._invoke(arguments, progress)
        failed = [node for node in results if node.status in ("error", "fail", "runtime error")]
        if failed:
            raise _failure(failed)
        return results

    def _invoke(self, arguments: list[str], progress: Progress | None) -> list[NodeResult]:
        from dbt.cli.main import dbtRunner

        spare_what_is_not_read()
        variables = json.dumps(self.variables, sort_keys=True)
        count = {"done": 0, "total": 0}

        def on_event(event: Any) -> None:
            if event.info.name == NODES_COUNTED:
                count["total"] = event.data.node_count
            elif event.info.name == NODE_DONE and progress is not None:
                count["done"] += 1
                progress(event.data.node_info.node_name, count["done"], count["total"])

        state = self.warehouse.parent
        with _environment(**self._target()), TEMPLATES.kept_in(_cache_directory()), schemas_believed():
            runner = dbtRunner(manifest=self._manifest(dbtRunner), callbacks=[on_event])
            try:
                outcome = runner.invoke(
                    [
                        *arguments,
                        *_options(state / "target", state / "logs"),
                        "--vars",
                        variables,
                        "--threads",
                        str(self.threads),
                    ]
                )
            finally:
                _release_warehouse()
        _go_on_interrupting(outcome.exception)
        if outcome.exception is not None:
            raise BuildFailed(f"The warehouse could not be built: {outcome.exception}", fix=_STAYS)
        return [_node_result(result) for result in outcome.result]

    def _target(self) -> dict[str, str]:
        """Return the environment variables that the profile reads, and those of PostgreSQL's own library."""
        if self.server is None:
            return {
                "MARGINWISE_ENGINE": "duckdb",
                "MARGINWISE_WAREHOUSE": str(self.warehouse),
                "MARGINWISE_BUILD_PREFIX": "",
                "MARGINWISE_ENGINE_OPTIONS": json.dumps(dict(self.options)),
                "MARGINWISE_OPTIONS_FOR_FEW_ROWS": json.dumps(options_for_few_rows(self.options, self.threads)),
            }
        return {
            **self.server.libpq_variables(),
            "MARGINWISE_ENGINE": "postgres",
            "MARGINWISE_POSTGRES_DATABASE": self.server.database(),
            "MARGINWISE_BUILD_PREFIX": self.server.build_prefix,
        }

    def _manifest(self, runner: Any) -> Any:
        """Return the parsed project: it does not depend on variables, which are read when a model is compiled.

        On a server it depends on the names of database and schemas. Its nodes are copies each time: dbt marks those it has compiled, and
        would not compile them again for another run.
        """
        of_any_run = {name: "{}" for name in self._target() if "_OPTIONS" in name}
        target = {**self._target(), "MARGINWISE_WAREHOUSE": PARSED_FOR, **of_any_run}
        key = tuple(target.get(name) for name in ("MARGINWISE_POSTGRES_DATABASE", "MARGINWISE_BUILD_PREFIX"))
        if key not in self._parsed:
            folder = self.warehouse.parent / "target" if self.server else _cache_directory()
            with _environment(**target):
                outcome = runner().invoke(["parse", *_options(folder, folder)])
            _go_on_interrupting(outcome.exception)
            if not outcome.success:
                raise BuildFailed(f"The warehouse project cannot be parsed: {outcome.exception}", fix=_STAYS)
            parsed = outcome.result
            in_reach = macros_in_reach(parsed, target["MARGINWISE_ENGINE"])
            self._parsed[key] = parsed, in_reach
            gc.freeze()  # it lives to the end: looking through it for garbage costs a tenth of a build
        parsed, in_reach = self._parsed[key]
        manifest = replace(parsed, nodes={name: _not_compiled(node) for name, node in parsed.nodes.items()})
        give_in_reach(manifest, in_reach)
        return manifest


def _not_compiled(node: Any) -> Any:
    """Return a copy that dbt may compile and run: it is told what becomes of it; only what is filled and not replaced is made for it."""
    copied = copy(node)
    copied._event_status = {}
    if "extra_ctes" in vars(node):
        copied.extra_ctes = list(node.extra_ctes)
    return copied


def _go_on_interrupting(exception: BaseException | None) -> None:
    """Raise what dbt takes for a failure of its own and is the user's Ctrl-C."""
    if isinstance(exception, KeyboardInterrupt):
        raise exception


def _options(target: Path, logs: Path) -> list[str]:
    return [
        "--project-dir", str(project_directory()), "--profiles-dir", str(project_directory()),
        "--target-path", str(target), "--log-path", str(logs),
        "--log-level", "none", "--log-level-file", "none", "--no-use-colors", "--no-version-check",
        "--no-send-anonymous-usage-stats", "--no-print", "--no-write-json",
    ]  # fmt: skip


def _cache_directory() -> Path:
    """Return where dbt's parsed project and its compiled templates are kept, for all projects of this installation: both take seconds.

    Nobody else may write to it, as what lies there is run.
    """
    told = f"{project_directory()} {version('marginwise')} {version('dbt-core')}"
    name = hashlib.sha256(told.encode()).hexdigest()[:16]
    cache = None
    with suppress(RuntimeError):  # no home
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return _own_directory(cache, name)


@cache
def _own_directory(cache_home: Path | None, name: str) -> Path:
    """Return a folder that nobody else may write to: in the user's cache, else among temporary files, else one for this process."""
    if cache_home is not None and _is_own_directory(folder := cache_home / "marginwise" / name):
        return folder
    user = os.getuid() if hasattr(os, "getuid") else "user"
    if _is_own_directory(folder := Path(tempfile.gettempdir()) / f"marginwise-{user}-{name}"):
        return folder
    folder = Path(tempfile.mkdtemp(prefix="marginwise-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _is_own_directory(folder: Path) -> bool:
    """Make a folder where there is none; tell whether it is one, no link to one, that the user and nobody else may write to."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        told = folder.lstat()
    except OSError:
        return False
    is_own = not hasattr(os, "getuid") or (told.st_uid == os.getuid() and not told.st_mode & 0o022)
    return is_own and stat.S_ISDIR(told.st_mode) and os.access(folder, os.W_OK)


def _release_warehouse() -> None:
    """Close the connection that dbt's adapter keeps, so that the file can be opened in any way again."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    DuckDBConnectionManager.close_all_connections()


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _node_result(result: Any) -> NodeResult:
    return NodeResult(
        name=result.node.name,
        kind=str(result.node.resource_type),
        status=str(result.status),
        seconds=float(result.execution_time),
        failures=int(result.failures or 0),
        message=str(result.message or ""),
    )


def _failure(failed: list[NodeResult]) -> MarginwiseError:
    for node in failed:
        if node.name.startswith(_CHECKED) and is_of_a_value(node.message):  # our own casts never fail, a mapping's do
            return fails_on_a_value(node.name.removeprefix(_CHECKED), node.message)
    told = "; ".join(f"{node.kind} {node.name}: {node.message.strip()}" for node in failed[:5])
    more = f" ({len(failed) - 5} more)" if len(failed) > 5 else ""
    return BuildFailed(
        f"{len(failed)} of the warehouse's models or tests failed, nothing was published: {told}{more}.",
        fix="The previous published store stays as it was. See `marginwise check` and `marginwise query`.",
    )
