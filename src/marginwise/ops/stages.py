"""What each stage of a run does: takes the run's context, leaves its tables behind, returns what it has to tell."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from marginwise.connectors.dialect import told_name
from marginwise.connectors.mapping import Mapping
from marginwise.decisions.causes import causes_of
from marginwise.decisions.ledger import Ledger, next_ledger, standing_verdicts
from marginwise.engine.build_state import BuildState, forget_state, keep_state, kept_state, state_of
from marginwise.engine.day_contents import day_contents
from marginwise.engine.dbt import NodeResult, WarehouseProject, warehouse_variables
from marginwise.engine.duckdb import engine_options, join_small_parts, open_warehouse, take_all_options, write_declared
from marginwise.engine.exchange import Exchange
from marginwise.engine.hindrances import hindrance
from marginwise.engine.landing import LandingSource, land
from marginwise.engine.postgres import server_of
from marginwise.engine.publish import PUBLISHED_STORE, publish_store
from marginwise.engine.run_ledger import times_begun
from marginwise.engine.stage_tables import active_files, broken_rules, table_grades, warehouse_table, write_tables
from marginwise.errors import (
    BadSettings,
    BrokenStore,
    BuildFailed,
    ContractViolated,
    MissingTable,
    NothingPublished,
    OutOfMemory,
)
from marginwise.ops.identity import run_identity
from marginwise.ops.source_mappings import is_own_mapping, source_mappings, sources_with_tax
from marginwise.settings import Settings

__all__ = ["MEMO_DIRECTORY", "STAGE_WORK", "RunContext", "built_from", "landed_by", "warehouse_of", "write_memo"]

MEMO_DIRECTORY = "memo"
_EVIDENCE = tuple(f"marts.mart_decision_{name}" for name in ("units", "evidence", "variant_units", "variants"))
_PUBLISHED = ("core.dim_*", "core.fct_order_lines", "core.fct_refunds", "marts.*", "quarantine.*", "ops.checks",
              "ops.table_grades", "intermediate.int_periods_set", "staging.*")  # fmt: skip
_ASKED = "it was asked for"
_TOO_MUCH = "what it touches is too much to be exchanged in little memory"
_BUILDS_UNTIL_JOINED = 10
_OVERFLOW = "max_temp_directory_size"
_Made = TypeVar("_Made")
Work = Callable[["RunContext"], dict[str, Any]]
_DATA_FILE = re.compile(r"\.(csv|tsv|txt|parquet)(\.(gz|bz2|zst))?$", re.IGNORECASE)


@dataclass(frozen=True)
class RunContext:
    """What the stages of one run share: settings, the run's id, clock and progress callback, and whether all is made anew."""

    settings: Settings
    run_id: str
    now: Callable[[], dt.datetime]
    progress: Callable[[str, str, int, int], None]
    anew: bool = False

    @property
    def warehouse_path(self) -> Path:
        """The build file; readers never open it."""
        return self.settings.state_directory / "warehouse.duckdb"

    @cached_property
    def mappings(self) -> dict[str, Mapping]:
        """The mapping of every source, by the source's name."""
        return source_mappings(self.settings)

    @cached_property
    def exchange(self) -> Exchange:
        """The way to the server that the warehouse is built on, if there is one."""
        return Exchange(server_of(self.settings))

    def project(self, **variables: Any) -> WarehouseProject:
        """Return the dbt project bound to this run's warehouse and settings, and to further variables of a stage."""
        variables = {**warehouse_variables(self.settings, sources_with_tax(self.mappings)), **variables}
        options = engine_options(self.settings.warehouse)
        return WarehouseProject(self.warehouse_path, variables, server=self.exchange.server, options=options)

    def told(self, stage: str) -> Callable[[str, int, int], None]:
        """Return a progress callback for one stage."""
        return lambda item, done, total: self.progress(stage, item, done, total)


@contextmanager
def warehouse_of(context: RunContext) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the run's warehouse for the length of a block."""
    con = open_warehouse(context.warehouse_path, options=engine_options(context.settings.warehouse))
    try:
        yield con
    finally:
        con.close()


def land_sources(context: RunContext) -> dict[str, Any]:
    """Bring every source's files in, unchanged, and lay the contract's views over them."""
    if not context.settings.sources:
        raise BadSettings("marginwise.toml names no source.", fix="Write one with `marginwise init [PACK] DATA_DIR`.")
    sources = {
        name: LandingSource(context.mappings[name], context.settings.directory / source.data)
        for name, source in context.settings.sources.items()
    }
    with warehouse_of(context) as con:
        write_declared(con, context.settings)
        report = land(con, sources, landed_at=context.now(), progress=context.told("land"))
        context.exchange.load(con)
    return {
        **report.as_dict(),
        "files_that_match_no_group": _unmatched(context),
        "landed_by": landed_by(context),
    }


def landed_by(context: RunContext) -> str:
    """Return a hash of what lays the files under the contract: the folder and the mapping of every source."""
    sources = context.settings.sources.items()
    told = {name: [str(source.data), context.mappings[name].model_dump_json()] for name, source in sources}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def _unmatched(context: RunContext) -> list[str]:
    """Return data files that lie in a source's folder and that the user's own mapping does not name."""
    found = []
    for name, source in context.settings.sources.items():
        mapping, folder = context.mappings[name], context.settings.directory / source.data
        if not is_own_mapping(source):
            continue  # a pack knows which files of its source it leaves out
        named = {path for group in mapping.files.values() for pattern in group.path for path in folder.glob(pattern)}
        others = [path.name for path in sorted(folder.iterdir()) if path not in named]
        found += [told_name(other) for other in others if _DATA_FILE.search(other)]
    return found


def check_contract(context: RunContext) -> dict[str, Any]:
    """Hold every landed row against the contract; stop where the contract says stop."""
    with warehouse_of(context) as con:
        state = _state(context, con)
        before = kept_state(con, "check")
        anew_because = _ASKED if context.anew else state.reason_against(before)
        if anew_because:
            forget_state(con, "check", "build")
        elif before:
            keep_state(con, "check", state.while_made(before))

    def checked(anew: bool) -> None:
        if anew or before is None:
            context.project().build("tag:check", progress=context.told("check"))
            return
        untouched = [f"chk_{table}" for table in state.untouched_tables(before)]
        context.project(whole_tables=state.whole_tables(before), tables_told=state.tables_told(before)).build(
            "tag:check",
            exclude=" ".join(["path:models/staging", *untouched]),
            anew=False,
            progress=context.told("check"),
        )

    _, anew_because = _made(context, checked, anew_because, "check", "build")
    with warehouse_of(context) as con:
        keep_state(con, "check", state)
        context.exchange.fetch(con, "ops.checks", "ops.table_grades")
        stops = sorted(
            (rule for rule in broken_rules(con) if rule["severity"] == "stop"), key=lambda rule: rule["message"]
        )
        tables = table_grades(con)
    if stops:
        kind = MissingTable if any(rule["rule"] == "required_table" for rule in stops) else ContractViolated
        raise kind(" ".join(rule["message"] for rule in stops), fix="Mend the data or the mapping, then run again.")
    return {
        **{name: sum(table[name] for table in tables) for name in ("rows_in", "rows_loaded", "rows_quarantined")},
        "grades": {table["table_name"]: table["grade"] for table in tables if table["rows_in"]},
        "made_anew_because": anew_because,
    }


def build_warehouse(context: RunContext) -> dict[str, Any]:
    """Build and test staging, core and marts."""
    with warehouse_of(context) as con:
        write_declared(con, context.settings)
        context.exchange.load(con, ("ops",))
        state = _state(context, con)
        anew_because = _ASKED if context.anew else state.reason_against(kept_state(con, "build"))
        if anew_because:
            forget_state(con, "build")

    def built(anew: bool) -> list[NodeResult]:
        return context.project().build("*", exclude="tag:check", anew=anew, progress=context.told("build"))

    results, anew_because = _made(context, built, anew_because, "build")
    kinds = [node.kind for node in results]
    with warehouse_of(context) as con:
        keep_state(con, "build", state)
        context.exchange.forget_changes(con)
        if times_begun(con, "build") % _BUILDS_UNTIL_JOINED == 0:
            join_small_parts(con)
        origin = built_from(context, con)
    return {
        "models": kinds.count("model"),
        "tests": kinds.count("test"),
        "built_from": origin,
        "made_anew_because": anew_because,
    }


def _made(
    context: RunContext, make: Callable[[bool], _Made], anew_because: str | None, *stages: str
) -> tuple[_Made, str | None]:
    """Return what is made, and why all of it anew: also where what is touched does not fit into what few rows may take."""
    try:
        return make(anew_because is not None), anew_because
    except BuildFailed as error:
        is_too_much = isinstance(hindrance(error), OutOfMemory) or _OVERFLOW in str(error)
        if anew_because or context.exchange.server or not is_too_much:
            raise
    with warehouse_of(context) as con:
        forget_state(con, *stages)
        take_all_options(con, engine_options(context.settings.warehouse))
    return make(True), _TOO_MUCH


def built_from(context: RunContext, con: duckdb.DuckDBPyConnection) -> str:
    """Return a hash of what a build is made from: the files that count, and the settings and rules the warehouse reads."""
    files = [(file["source"], file["file"], file["hash"]) for file in active_files(con)]
    return hashlib.sha256(json.dumps([files, _settings_told(context)], default=str).encode()).hexdigest()[:16]


def _settings_told(context: RunContext) -> list[Any]:
    settings = context.settings
    rules = settings.directory / settings.channels.rules if settings.channels.rules else None
    return [
        rules.read_text("utf-8", "replace") if rules and rules.is_file() else None,
        context.project().variables,
        settings.assumptions.model_dump_json(),
        settings.channels.model_dump_json(),
        settings.warehouse.model_dump_json(include={"engine", "schema_prefix"}),
    ]


def _state(context: RunContext, con: duckdb.DuckDBPyConnection) -> BuildState:
    return state_of(con, [_settings_told(context), landed_by(context)], context.exchange.target())


def learn(context: RunContext) -> dict[str, Any]:
    """Turn the evidence of every unit into intervals and probabilities, also under other assumptions."""
    from marginwise.science.evidence import posteriors
    from marginwise.science.variants import variant_posteriors

    with warehouse_of(context) as con:
        context.exchange.fetch(con, *_EVIDENCE)
        units = warehouse_table(con, "marts.mart_decision_units")
        evidence = warehouse_table(con, "marts.mart_decision_evidence")
        interval = context.settings.decisions.interval
        found = posteriors(units, evidence, interval=interval)
        variant_units = warehouse_table(con, "marts.mart_decision_variant_units")
        variants = warehouse_table(con, "marts.mart_decision_variants", without="subject_key")
        varied = variant_posteriors(variant_units, variants, interval=interval)
        write_tables(con, "science", {"posteriors": found, "variant_posteriors": varied})
        context.exchange.push(con, "science.*")
    return {"units": units.num_rows, "customers": evidence.num_rows}


def decide(context: RunContext) -> dict[str, Any]:
    """Give every unit its verdict, and list what looks good and loses money."""
    from marginwise.decisions.robustness import robustness, with_robustness
    from marginwise.decisions.verdict import looks_good_loses_money, verdicts

    with warehouse_of(context) as con:
        context.exchange.fetch(con, "marts.mart_decision_units", "ops.table_grades")
        units = warehouse_table(con, "marts.mart_decision_units")
        found = warehouse_table(con, "science.posteriors")
        grades = warehouse_table(con, "ops.table_grades")
        standing = standing_verdicts(published_ledger(context.settings).history, units)
        judged = verdicts(units, found, grades, context.settings.decisions, context.settings.store.currency, standing)
        varied = robustness(
            judged,
            warehouse_table(con, "science.variant_posteriors"),
            grades,
            context.settings.decisions,
            standing,
        )
        judged = with_robustness(judged, varied, context.settings.decisions)
        good_looking = looks_good_loses_money(judged, context.settings.decisions)
        write_tables(con, "decisions", {"verdicts": judged, "looks_good_loses_money": good_looking, "posteriors": found,
                                  "robustness": varied})  # fmt: skip
    counts = Counter(verdict for verdict in judged["verdict"].to_pylist() if verdict is not None)
    return {"verdicts": dict(sorted(counts.items())), "looks_good_loses_money": good_looking.num_rows}


def publish(context: RunContext) -> dict[str, Any]:
    """Switch readers to what this run built, then write the memo from what they now see."""
    exchange = context.exchange
    with warehouse_of(context) as con:
        exchange.fetch(con, *_PUBLISHED)
        identity = run_identity(con, context.settings, context.mappings, engine=exchange.engine())
        memos, changes = _carry_ledger(con, context.settings, identity)
        run = {"run_id": context.run_id, "published_at": context.now(), "store": context.settings.store.name,
               "currency": context.settings.store.currency}  # fmt: skip
        exchange.push(con, "decisions.*", "ops.files", "ops.landing_checks", "ops.day_contents")
        publication = publish_store(
            con,
            context.settings.state_directory,
            identity=identity,
            run=run,
            switch=lambda tables, manifest: exchange.switch(tables, manifest, context.settings.warehouse.readers),
        )
        exchange.forget(con, "staging")
    memo = write_memo(context.settings)
    return {
        "manifest_id": publication.manifest_id,
        "tables": publication.tables_count,
        "memo_number": memos,
        "verdicts_changed": changes,
        "memo": [path.name for path in memo],
    }


def published_ledger(settings: Settings) -> Ledger:
    """Return the ledger of the published store; an empty one before the first publication.

    Raises
    ------
    BrokenStore
        When there is a published store that cannot be read: publishing over it would lose its history in silence.
    """
    from marginwise.serving.queries import PublishedStore

    path = settings.state_directory / PUBLISHED_STORE
    try:
        return PublishedStore(path).ledger()
    except NothingPublished:
        return Ledger()
    except BrokenStore as error:
        raise BrokenStore(
            f"The published store {path.name} cannot be read, and it holds the history of all verdicts.",
            fix=f"Restore {path.name} from a backup, or move it away: the next run then begins a new history.",
        ) from error


def _carry_ledger(con: duckdb.DuckDBPyConnection, settings: Settings, identity: dict[str, Any]) -> tuple[int, int]:
    """Carry the published ledger into the tables about to be published; return the memo's number and its changes."""
    published = published_ledger(settings)
    days = day_contents(con, settings.store.time_zone)
    judged = warehouse_table(con, "decisions.verdicts")
    causes = causes_of(published.manifest, identity, published.day_contents, days) if published.manifest else []
    ledger = next_ledger(published, judged, identity, causes)
    write_tables(con, "decisions", ledger.tables())
    write_tables(con, "ops", {"day_contents": days})
    newest = ledger.memos.to_pylist()[-1]
    return newest["memo_number"], newest["changes_count"]


def write_memo(settings: Settings) -> list[Path]:
    """Render the memo from the published store into the project's memo folder; return the files."""
    from marginwise.decisions.memo import render_memo
    from marginwise.serving.queries import PublishedStore

    memo = render_memo(PublishedStore(settings.state_directory / PUBLISHED_STORE).memo_facts())
    folder = settings.directory / MEMO_DIRECTORY
    folder.mkdir(exist_ok=True)
    files = {folder / "memo.html": memo.html, folder / "memo.md": memo.markdown}
    for path, text in files.items():
        draft = path.with_name(f".{path.name}.draft")
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    return list(files)


STAGE_WORK: dict[str, Work] = {
    "land": land_sources,
    "check": check_contract,
    "build": build_warehouse,
    "learn": learn,
    "decide": decide,
    "publish": publish,
}
