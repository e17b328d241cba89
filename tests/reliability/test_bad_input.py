"""Whatever a file holds: a clear error or quarantine, no row lost, no traceback, no hang."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reliability.bad_input import break_files
from tests.reliability.sources import demo_source, olist_source, retail_source

pytestmark = pytest.mark.xdist_group("hindrances")


def test_a_dozen_broken_files_end_in_a_clear_error_or_quarantine(tmp_path: Path) -> None:
    held = break_files(demo_source(tmp_path), tmp_path, 12, seed=3, at_once=6)
    assert not held.defects, "\n".join(held.defects)
    assert held.ends["done"], held


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
