"""Kills runs at random moments while a reader reads, and holds what the next run leaves against an undisturbed one."""

from __future__ import annotations

import random
import shutil
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from marginwise.engine.duckdb import open_warehouse
from marginwise.engine.publish import PUBLISHED_STORE
from marginwise.engine.run_ledger import last_stages
from marginwise.serving.queries import PublishedStore
from tests.reliability.stores import arrive, begin_run, differing, published, run_here, waiting_days


class Reader:
    """Reads the published store in a loop, as a dashboard would, and keeps every error and every store that is half."""

    def __init__(self, store: Path) -> None:
        self._store = PublishedStore(store / ".marginwise" / PUBLISHED_STORE)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self.errors: list[str] = []
        self.manifests: list[str] = []
        self.reads = 0

    def __enter__(self) -> Reader:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _read(self) -> None:
        while not self._end.wait(0.05):
            try:
                told = self._store.query(
                    "select manifest_id, manifest_json->>'$.tables.\"core.fct_order_lines\".rows' as declared,"
                    " (select count(*) from core.fct_order_lines) as counted, (select count(*) from decisions.verdicts)"
                    " as judged from ops.manifest"
                ).to_pylist()[0]
                if int(told["declared"]) != told["counted"] or not told["judged"]:
                    self.errors.append(f"half a store: {told}")
                if self.manifests[-1:] != [told["manifest_id"]]:
                    self.manifests.append(told["manifest_id"])
                self.reads += 1
            except Exception as error:  # whatever a reader sees is what is looked for
                self.errors.append(repr(error))


@dataclass
class Killed:
    """What happened: kills by the stage they hit, what differed afterwards, what the reader saw."""

    by_stage: Counter[str] = field(default_factory=Counter)
    off: list[str] = field(default_factory=list)
    reader_errors: list[str] = field(default_factory=list)
    reads: int = 0

    def __str__(self) -> str:
        return f"{self.by_stage.total()} kills {dict(self.by_stage)}, {self.reads} reads"


def kill_runs(store: Path, kills: int, *, seed: int) -> Killed:
    """Let one day's drop after the other arrive, kill one or two runs of each, run again and compare.

    The store has been run once. When its days are used up it starts anew from there.
    """
    rng = random.Random(seed)
    days, told = waiting_days(store), Killed()
    first, undisturbed = _copy(store, "first"), _copy(store, "undisturbed")
    expected = []
    for day in days:
        arrive(undisturbed, *day)
        run_here(undisturbed)
        expected.append(published(undisturbed))
    length = 0.0
    while told.by_stage.total() < kills:
        for day, content in zip(days, expected, strict=True):
            arrive(store, *day)
            with Reader(store) as reader:
                for _ in range(rng.choice((1, 1, 2))):  # also twice in a row
                    anew = rng.choice(((), (), (), ("--anew",)))
                    told.by_stage[kill_once(store, rng.uniform(0.1, 1.0) * (length or 10), *anew)] += 1
                began = time.monotonic()
                run = begin_run(store)
                _, errors = run.communicate()
                length = time.monotonic() - began
            told.reads += reader.reads
            told.reader_errors += reader.errors
            if run.returncode:
                told.off.append(f"seed {seed}, after {told}: exit code {run.returncode}: {errors}")
            told.off += [f"seed {seed}, after {told}: {name}" for name in differing(published(store), content)]
            if told.by_stage.total() >= kills:
                break
        shutil.rmtree(store)
        shutil.copytree(first, store)
    return told


def _copy(store: Path, name: str) -> Path:
    return Path(shutil.copytree(store, store.with_name(f"{store.name}-{name}")))


def kill_once(store: Path, after: float, *arguments: str) -> str:
    """Begin a run, kill it, and tell which stage it was at."""
    run = begin_run(store, *arguments)
    time.sleep(after)
    came_to_its_end = run.poll() is not None
    run.kill()
    run.communicate()
    return "ended before" if came_to_its_end else _stage(store)


def _stage(store: Path) -> str:
    """Return the stage the newest record tells of, `between` when it had ended."""
    warehouse = store / ".marginwise" / "warehouse.duckdb"
    con = open_warehouse(warehouse, read_only=True)  # the next run has to recover by itself
    try:
        newest = max(last_stages(con), key=lambda record: record.started_at)
    except (ValueError, duckdb.Error):
        return "before"
    finally:
        con.close()
    return newest.stage if newest.status == "running" else "between"
