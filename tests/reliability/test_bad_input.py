"""Whatever a file holds: a clear error or quarantine, no row lost, no traceback, no hang."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from marginwise.errors import MissingFile
from tests.reliability import bad_input
from tests.reliability.bad_input import Source, break_files
from tests.reliability.sources import demo_source, olist_source, retail_source

pytestmark = pytest.mark.xdist_group("hindrances")


def test_a_dozen_broken_files_end_in_a_clear_error_or_quarantine(tmp_path: Path) -> None:
    held = break_files(demo_source(tmp_path), tmp_path, 12, seed=3, at_once=6)
    assert not held.defects, "\n".join(held.defects)
    assert held.ends["done"], held


def _wait_for_nothing() -> None:
    threading.Event().wait()


def _work_for_nothing() -> None:
    began = time.process_time()
    while time.process_time() - began < 0.2:
        pass


@pytest.mark.parametrize(
    ("hang", "clock_seconds", "told"),
    [(_wait_for_nothing, 0.2, "no end after 0 seconds"), (_work_for_nothing, 60.0, "took 0 CPU seconds")],
)
def test_a_run_without_end_is_a_defect_whether_it_works_or_waits(
    hang: Callable[[], None], clock_seconds: float, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bad_input, "CPU_SECONDS", 0.1)
    monkeypatch.setattr(bad_input, "CLOCK_SECONDS", clock_seconds)

    def run(store: Path, *stages: str) -> None:
        (store / ".marginwise").mkdir(exist_ok=True)
        if store.name != "landed":
            hang()
            raise MissingFile("a run that ends", fix="Nothing to do.")

    monkeypatch.setattr(bad_input, "run_here", run)
    held = break_files(Source("one", "", {"orders.csv": b"order_id\n1\n2\n"}), tmp_path, 1, seed=1)
    assert len(held.defects) == 1
    assert told in held.defects[0]


@pytest.mark.soak
@pytest.mark.parametrize(
    ("name", "inputs", "at_once"), [("demo", 800, 8), ("online_retail", 100, 2), ("olist", 100, 3)]
)
def test_a_thousand_broken_files(name: str, inputs: int, at_once: int, shared_data: Path, tmp_path: Path) -> None:
    source = {"demo": demo_source, "online_retail": retail_source, "olist": olist_source}[name](tmp_path)
    held = break_files(source, tmp_path, inputs, seed=11, at_once=at_once)
    print(held)
    assert not held.defects, "\n".join(held.defects)


@pytest.mark.soak
def test_what_passes_the_checks_can_be_built_and_judged(tmp_path: Path) -> None:
    stages = ("land", "check", "build", "learn", "decide", "publish")
    held = break_files(demo_source(tmp_path), tmp_path, 120, seed=5, at_once=6, stages=stages)
    print(held)
    assert not held.defects, "\n".join(held.defects)
