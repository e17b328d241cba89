"""Killed at any moment: the next run ends as if nothing had happened, and readers never notice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.beginnings import SHOP, Beginnings
from tests.reliability.killing import Reader, kill_once, kill_runs
from tests.reliability.stores import differing, published, run_here, small_store

pytestmark = pytest.mark.xdist_group("hindrances")


def test_a_run_killed_in_the_middle_leaves_the_next_one_nothing_to_notice(
    tmp_path: Path, beginnings: Beginnings
) -> None:
    assert [outcome.code for outcome in beginnings.copied(SHOP, tmp_path)] == [0, 0]
    store = tmp_path / "shop"
    before = published(store)
    with Reader(store) as reader:
        stage = kill_once(store, 8.0)
        run_here(store)
    assert not differing(published(store), before), stage
    assert reader.reads > 10
    assert not reader.errors


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(5))
def test_a_hundred_kills(seed: int, tmp_path: Path) -> None:
    store = small_store(tmp_path / "store", drops=3)
    run_here(store)
    held = kill_runs(store, 20, seed=seed)
    print(held)
    assert not held.off, "\n".join(held.off)
    assert not held.reader_errors, held.reader_errors[:5]
