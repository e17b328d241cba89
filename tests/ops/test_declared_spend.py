"""Declared spend on a channel that nothing else names is told, by the run and by `doctor`, with the nearest name."""

from __future__ import annotations

from pathlib import Path

import pytest

from marginwise.engine.duckdb import open_warehouse
from marginwise.ops.declared_spend import spend_on_unknown_channels
from marginwise.ops.doctor import examine
from marginwise.ops.pipeline import run
from marginwise.settings import load_settings
from tests.reliability.stores import small_store

SPEND = """
[[assumptions.spend]]
channel = "{channel}"
from = 2025-06-15
to = 2025-12-31
amount = 900
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = small_store(tmp_path_factory.mktemp("declared") / "store", orders=50)
    declare(folder, "Pad Serach", "paid_search", "Podcast", "Billboards", "influencers")
    return folder


def declare(store: Path, *channels: str) -> None:
    settings = store / "marginwise.toml"
    kept = settings.read_text(encoding="utf-8").partition("\n# declared by a test")[0]
    declared = "".join(SPEND.format(channel=channel) for channel in channels)
    settings.write_text(f"{kept}\n# declared by a test\n{declared}", encoding="utf-8")


def test_the_run_and_doctor_tell_of_a_channel_that_nothing_else_names(store: Path) -> None:
    """Found wrong once: a misspelt channel got no word, and its spend stood alone."""
    report = run(load_settings(store), ("land", "check", "build"))
    told = ["'Pad Serach' (did you mean 'Paid Search'?)", "'Billboards'"]
    assert report.stages[-1].facts["warning_declared_spend_on_a_channel_that_nothing_else_names"] == told
    found = [finding for finding in examine(store) if finding.check == "declared spend"]
    assert [finding.state for finding in found] == ["warning", "warning"]
    assert "Did you mean" not in found[1].detail
    assert "did you mean 'Paid Search'?" in found[0].detail
    declare(store, "Emial")  # edited since the build
    with open_warehouse(store / ".marginwise" / "warehouse.duckdb", read_only=True) as con:
        assert spend_on_unknown_channels(con, load_settings(store)) == ["'Emial' (did you mean 'Email'?)"]
