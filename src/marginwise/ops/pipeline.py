"""One run: land, check, build, learn, decide, publish."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import duckdb

from marginwise.engine.duckdb import engine_options, let_go_of_memory, take_all_options
from marginwise.engine.hindrances import hindrances_told
from marginwise.engine.ledger import open_ledger
from marginwise.engine.run_ledger import begin_stage, end_stage, last_stages
from marginwise.engine.stage_tables import TRAFFIC_TABLES
from marginwise.errors import BadSettings, MarginwiseError, OutOfOrder, nearest
from marginwise.ops.declared_spend import spend_on_unknown_channels
from marginwise.ops.run_lock import held_alone
from marginwise.ops.stages import STAGE_WORK, RunContext, built_from, landed_by, warehouse_of
from marginwise.settings import Settings

__all__ = ["STAGES", "RunReport", "StageReport", "chosen_stages", "run"]

STAGES = tuple(STAGE_WORK)
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StageReport:
    """One finished stage: its name, how long it took, and what it has to tell."""

    stage: str
    seconds: float
    facts: dict[str, Any]


@dataclass(frozen=True)
class RunReport:
    """One finished run."""

    run_id: str
    stages: list[StageReport] = field(default_factory=list)


def chosen_stages(names: Sequence[str] = (), *, start: str | None = None) -> tuple[str, ...]:
    """Return the stages to run: all, those named, or all from one on; always in the order of a run.

    >>> chosen_stages(start="decide")
    ('decide', 'publish')

    Raises
    ------
    BadSettings
        When there is no such stage.
    """
    for name in [*names, *([start] if start else [])]:
        if name not in STAGES:
            raise BadSettings(f"There is no stage {name!r}.", accepted=STAGES, nearest=nearest(name, STAGES))
    if start is not None:
        return STAGES[STAGES.index(start) :]
    return tuple(stage for stage in STAGES if stage in names) if names else STAGES


def run(
    settings: Settings,
    stages: Sequence[str] = STAGES,
    *,
    anew: bool = False,
    progress: Callable[[str, str, int, int], None] | None = None,
    now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC).replace(tzinfo=None),
) -> RunReport:
    """Run the stages, each recorded in the ledger, and stop at the first that fails.

    Parameters
    ----------
    settings
        The store's settings.
    stages
        Which stages, in order (see `chosen_stages`).
    anew
        Check and build everything anew, even where only what is new would have to be.
    progress
        Called with (stage, item, done, total) as the work goes on.
    now
        The clock of the ledger and of landing, in UTC. Nothing is measured against it but dates that lie after
        the day their file landed, which are quarantined as impossible.

    Raises
    ------
    StoreBusy
        When another run of the same project is at work, or another process holds its warehouse.
    DiskFull, NotWritable, BrokenStore
        When the machine or a damaged file keeps the run from going on.
    MarginwiseError
        Whatever stopped a stage; the published store stays as it was.
    """
    with hindrances_told(), held_alone(settings.state_directory):
        context = RunContext(settings, uuid4().hex[:12], now, progress or (lambda *_: None), anew)
        context.exchange.require()
        # held from the first stage to the last, whatever else in this process opens it: to close and open it takes as long as a small stage
        with warehouse_of(context) as con:
            open_ledger(con)  # also that of an older version, before a stage rests on it
            return RunReport(context.run_id, [_run_stage(context, con, stage) for stage in stages])


def _run_stage(context: RunContext, con: duckdb.DuckDBPyConnection, stage: str) -> StageReport:
    _require_what_it_rests_on(context, con, stage)
    begin_stage(con, context.run_id, stage, context.now())
    started = time.perf_counter()
    try:
        let_go_of_memory(con)
        take_all_options(con, engine_options(context.settings.warehouse))
        facts = {**STAGE_WORK[stage](context), **_noticed(context, stage)}
        return StageReport(stage, _end_stage(context, con, stage, started, facts), facts)
    except BaseException as error:
        # what broke the stage may have broken its connection too: it is told of over another; where that fails, it counts as cut off
        con.close()
        told = dict(error.as_dict()) if isinstance(error, MarginwiseError) else {}
        with suppress(MarginwiseError, duckdb.Error, OSError), warehouse_of(context) as another:
            _end_stage(context, another, stage, started, told, failed=True)
        raise


def _end_stage(
    context: RunContext,
    con: duckdb.DuckDBPyConnection,
    stage: str,
    started: float,
    facts: dict[str, Any],
    *,
    failed: bool = False,
) -> float:
    seconds = round(time.perf_counter() - started, 3)
    end_stage(con, context.run_id, stage, context.now(), failed=failed, facts=facts)
    log.info("stage %s", "failed" if failed else "done", extra={"stage": stage, "seconds": seconds})
    return seconds


def _noticed(context: RunContext, stage: str) -> dict[str, Any]:
    """Return what the user should look at though it stops nothing."""
    if stage != "build" or not context.settings.assumptions.spend:
        return {}
    with warehouse_of(context) as con:
        context.exchange.fetch(con, *TRAFFIC_TABLES)
        unknown = spend_on_unknown_channels(con, context.settings)
        context.exchange.forget(con, "staging")
    return {"warning_declared_spend_on_a_channel_that_nothing_else_names": unknown}


def _require_what_it_rests_on(context: RunContext, con: duckdb.DuckDBPyConnection, stage: str) -> None:
    """Refuse a stage whose predecessors are missing, failed, out of order, or were made of other data or settings."""
    earlier = STAGES[: STAGES.index(stage)]
    records = {record.stage: record for record in last_stages(con)}
    previous_end = None
    for name in earlier:
        record = records.get(name)
        if record is None or record.status != "done" or record.ended_at is None:
            status = record.status if record else "never"
            state = {"never": "has not been run", "failed": "failed"}.get(status, "was cut off")
            raise OutOfOrder(
                f"Stage {stage!r} rests on {name!r}, which {state}.", fix=f"Use `marginwise run --from {name}`."
            )
        if name in ("learn", "decide") and previous_end is not None and record.ended_at < previous_end:
            raise OutOfOrder(
                f"Stage {name!r} is older than the stage it rests on.", fix=f"Use `marginwise run --from {name}`."
            )
        previous_end = record.ended_at
    if "land" in earlier and records["land"].facts.get("landed_by") != landed_by(context):
        raise OutOfOrder(
            "The files were landed by other sources or mappings than those of now.",
            fix="Use `marginwise run --from land`.",
        )
    if "build" in earlier and records["build"].facts.get("built_from") != built_from(context, con):
        raise OutOfOrder(
            "The warehouse was built from other files or settings than those of now.",
            fix="Use `marginwise run --from check`.",
        )
