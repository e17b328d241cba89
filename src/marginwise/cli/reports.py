"""What the commands `run`, `check` and `status` do and show."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from marginwise.cli.console import print_json, print_rows, stage_progress, terminal
from marginwise.decisions.table import decision_table
from marginwise.engine.duckdb import open_warehouse
from marginwise.engine.publish import PUBLISHED_STORE
from marginwise.engine.run_ledger import last_stages
from marginwise.engine.stage_tables import broken_rules, table_grades
from marginwise.errors import MarginwiseError, NothingPublished
from marginwise.ops.pipeline import RunReport, chosen_stages
from marginwise.ops.pipeline import run as run_stages
from marginwise.ops.source_mappings import source_problems
from marginwise.ops.stages import MEMO_DIRECTORY
from marginwise.serving.queries import PublishedStore
from marginwise.settings import load_settings

__all__ = ["print_check", "print_run", "print_status", "print_validation", "published_store"]

_CHANGE = ("memo", "as of", "unit", "before", "now", "cause")


def published_store(project: Path) -> PublishedStore:
    """Return the reader of a project's published store."""
    return PublishedStore(load_settings(project).state_directory / PUBLISHED_STORE)


def print_run(project: Path, stages: Sequence[str], *, start: str | None, as_json: bool, anew: bool = False) -> None:
    """Run the stages; where the store was published, end with the decision table and the memo."""
    settings = load_settings(project)
    chosen = chosen_stages(stages, start=start)
    with stage_progress(quiet=as_json) as progress:
        report = run_stages(settings, chosen, anew=anew, progress=progress)
    store = PublishedStore(settings.state_directory / PUBLISHED_STORE)
    if as_json:
        verdicts = store.verdicts() if "publish" in chosen else []
        print_json({**_run_facts(report), "verdicts": verdicts})
        return
    rows = [(stage.stage, f"{stage.seconds:.1f} s", _told(stage.facts)) for stage in report.stages]
    print_rows("", ("stage", "took", "what it tells"), rows)
    if "publish" in chosen:
        console = terminal()
        console.print()
        verdicts = store.verdicts()
        console.print(decision_table(verdicts, settings.store.currency))
        if verdicts:
            console.print(_window_told(verdicts[0]))
        console.print(f"Memo: {settings.directory / MEMO_DIRECTORY / 'memo.html'} and memo.md", soft_wrap=True)


def print_check(project: Path, *, as_json: bool) -> None:
    """Land and check; show the grade of every table and every rule that was broken."""
    settings = load_settings(project)
    with stage_progress(quiet=as_json) as progress:
        run_stages(settings, ("land", "check"), progress=progress)
    con = open_warehouse(settings.state_directory / "warehouse.duckdb", read_only=True)
    try:
        grades = table_grades(con)
        broken = broken_rules(con)
    finally:
        con.close()
    if as_json:
        print_json({"tables": grades, "broken_rules": broken})
        return
    for title, rows in (("Tables", grades), ("Rules broken", broken)):
        if rows:
            print_rows(title, list(rows[0]), [list(row.values()) for row in rows])


def print_status(project: Path, *, as_json: bool) -> list[MarginwiseError]:
    """Show the last run of every stage and the published store; return what keeps a source from being read."""
    settings = load_settings(project)
    problems = source_problems(settings)
    warehouse = settings.state_directory / "warehouse.duckdb"
    stages: list[dict[str, Any]] = []
    if warehouse.is_file():
        con = open_warehouse(warehouse, read_only=True)
        try:
            stages = [
                {
                    "stage": record.stage,
                    "run_id": record.run_id,
                    "status": "cut off" if record.status == "running" else record.status,
                    "started_at": record.started_at.replace(microsecond=0),
                    "told": record.facts.get("message") or _told(record.facts),
                }
                for record in last_stages(con)
            ]
        finally:
            con.close()
    store = PublishedStore(settings.state_directory / PUBLISHED_STORE)
    manifest: dict[str, Any] | None = None
    changes: list[dict[str, Any]] = []
    with suppress(NothingPublished):
        manifest, changes = store.manifest(), store.last_changes()
    if as_json:
        print_json(
            {
                "store": settings.store.name,
                "problems": [problem.as_dict() for problem in problems],
                "stages": stages,
                "published": manifest,
                "last_changes": changes,
            }
        )
        return problems
    console = terminal()
    console.print(f"{settings.store.name}: {len(settings.sources)} source(s)")
    for problem in problems:
        console.print(f"BROKEN, the next run will stop: {problem}", soft_wrap=True)
    if stages:
        print_rows("", list(stages[0]), [list(stage.values()) for stage in stages])
    else:
        console.print("Never run yet. Start with `marginwise run`.")
    if manifest is None:
        console.print("Nothing published yet.")
    else:
        console.print(f"Published: manifest {manifest['manifest_id']}, as of {manifest['as_of_date']}.")
        if changes:
            print_rows("Last changes of a verdict", _CHANGE, [_changed(row) for row in changes])
        else:
            console.print("No verdict has changed between memos yet.")
    return problems


def _changed(row: dict[str, Any]) -> tuple[Any, ...]:
    unit = f"{row['unit_kind']} {row['unit_name']}"
    before, now = row["previous_verdict"] or "not judged", row["verdict"] or "not judged"
    return (row["memo_number"], row["as_of_date"], unit, before, now, ", ".join(row["causes"]))


def _window_told(row: dict[str, Any]) -> str:
    start, end, days = row["window_start_date"], row["window_end_date"], row["horizon_days"]
    if start is not None and end is not None and end < start:
        return (
            f"As of {row['as_of_date']}: no customer can be judged yet. Those won from {start} on are new for certain, and"
            f" each is judged after {days} days: the first on {start + dt.timedelta(days=days)}."
        )
    return (
        f"As of {row['as_of_date']}: revenue, repeat rate and margin of the customers won from {row['window_start_date']} to"
        f" {row['window_end_date']}, each counted for {row['horizon_days']} days. Smaller figures are intervals; where"
        " customers are few they are drawn towards the rest of the store."
    )


def _run_facts(report: RunReport) -> dict[str, Any]:
    return {
        "run_id": report.run_id,
        "stages": [{"stage": stage.stage, "seconds": stage.seconds, **stage.facts} for stage in report.stages],
    }


def _told(facts: dict[str, Any]) -> str:
    return ", ".join(
        f"{name.replace('_', ' ')} {_short(value)}" for name, value in facts.items() if value not in (None, [], {})
    )


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{name}={item}" for name, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) else str(value)


def print_validation(stores: int, orders: int, seed: int, *, keep: Path | None, as_json: bool) -> bool:
    """Validate the installation on stores of known truth, print every comparison, and return whether all agree."""
    from marginwise.ops.validation import validate

    with TemporaryDirectory() as folder, stage_progress(quiet=as_json) as progress:
        found = validate(keep or Path(folder), stores=stores, orders=orders, seed=seed, progress=progress)
    passed = all(check.passed for check in found)
    if as_json:
        print_json({"passed": passed, "checks": [check.as_dict() for check in found]})
        return passed
    for store in dict.fromkeys(check.store for check in found):
        rows = [(c.check, c.expected, c.observed, "pass" if c.passed else "FAIL") for c in found if c.store == store]
        print_rows(f"Store {store}", ("check", "planted", "observed", "result"), rows)
    failed = sum(not check.passed for check in found)
    terminal().print(
        f"{len(found) - failed} of {len(found)} checks pass." if failed else f"All {len(found)} checks pass."
    )
    return passed
