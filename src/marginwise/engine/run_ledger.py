"""The run ledger: which stage of which run began, ended, failed or was cut off."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

import duckdb

__all__ = ["StageRecord", "begin_stage", "end_stage", "last_stages", "times_begun"]


@dataclass(frozen=True)
class StageRecord:
    """One stage of one run; ``status`` is running, done or failed. A stage left running was cut off."""

    run_id: str
    stage: str
    status: str
    started_at: dt.datetime
    ended_at: dt.datetime | None
    facts: dict[str, Any]


def begin_stage(con: duckdb.DuckDBPyConnection, run_id: str, stage: str, at: dt.datetime) -> None:
    """Write that the stage begins."""
    con.execute("create schema if not exists ops")
    con.execute(
        "create table if not exists ops.runs (run_id varchar, stage varchar, status varchar, started_at timestamp,"
        " ended_at timestamp, facts_json varchar)"
    )
    con.execute("insert into ops.runs values (?, ?, 'running', ?, null, '{}')", [run_id, stage, at])


def end_stage(
    con: duckdb.DuckDBPyConnection, run_id: str, stage: str, at: dt.datetime, *, failed: bool, facts: dict[str, Any]
) -> None:
    """Write that the stage ended, and what it has to tell."""
    con.execute(
        "update ops.runs set status = ?, ended_at = ?, facts_json = ? where run_id = ? and stage = ?",
        ["failed" if failed else "done", at, json.dumps(facts, default=str), run_id, stage],
    )


def times_begun(con: duckdb.DuckDBPyConnection, stage: str) -> int:
    """Return how often the stage has begun since the warehouse was laid."""
    return int(con.execute("select count(*) from ops.runs where stage = ?", [stage]).fetchall()[0][0])


def last_stages(con: duckdb.DuckDBPyConnection) -> list[StageRecord]:
    """Return the latest record of every stage, in the order they ran; empty before the first run."""
    known = con.execute(
        "select count(*) from information_schema.tables where table_schema = 'ops' and table_name = 'runs'"
    ).fetchall()[0][0]
    if not known:
        return []
    rows = con.execute(
        "select run_id, stage, status, started_at, ended_at, facts_json from ops.runs"
        " qualify row_number() over (partition by stage order by started_at desc, run_id desc) = 1 order by started_at"
    ).fetchall()
    return [
        StageRecord(run_id, stage, status, started_at, ended_at, json.loads(facts))
        for run_id, stage, status, started_at, ended_at, facts in rows
    ]
