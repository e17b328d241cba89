"""A stage rests on what ran before it: what failed, is missing or was made of other settings is never published."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import duckdb
import pytest

from marginwise.engine.ledger import open_ledger
from marginwise.engine.run_ledger import begin_stage, end_stage
from marginwise.errors import OutOfOrder
from marginwise.ops import pipeline
from marginwise.ops.stages import RunContext, built_from, landed_by
from marginwise.settings import load_settings
from tests.beginnings import SHOP, Beginnings
from tests.shell import called


@pytest.fixture(scope="module")
def store(beginnings: Beginnings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a demo store that has been run once."""
    folder = tmp_path_factory.mktemp("order")
    assert [outcome.code for outcome in beginnings.copied(SHOP, folder)] == [0, 0]
    return folder / "shop"


def test_a_stage_without_its_predecessors_says_what_to_run(store: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(store, tmp_path / "store", ignore=shutil.ignore_patterns(".marginwise"))
    refused = called("run", "publish", "-p", copy, cwd=copy)
    assert refused.code == 4
    assert "run --from land" in refused.err


def test_other_settings_than_those_built_with_are_refused(store: Path) -> None:
    settings = store / "marginwise.toml"
    before = settings.read_text(encoding="utf-8")
    settings.write_text(before + "\n[decisions]\nhorizon_days = 60\n" if "\n[decisions]" not in before
                        else before.replace("[decisions]", "[decisions]\nhorizon_days = 60"), encoding="utf-8")  # fmt: skip
    refused = called("run", "decide", "publish", "-p", store, cwd=store)
    assert refused.code == 4
    assert "--from check" in refused.err
    settings.write_text(before, encoding="utf-8")
    assert called("run", "decide", "publish", "-p", store, cwd=store).code == 0


def test_a_build_that_failed_is_never_published(store: Path) -> None:
    """Found wrong once: after a failed build, `decide` published the tables it had left behind."""
    con = duckdb.connect(str(store / ".marginwise" / "warehouse.duckdb"))
    con.execute("update ops.runs set status = 'failed' where stage = 'build'")
    con.close()
    refused = called("decide", "-p", store, cwd=store)
    assert refused.code == 4
    assert "'build', which failed" in refused.err
    assert called("run", "--from", "build", "-p", store, cwd=store).code == 0


MAPPING = """
extends = "contract"
[source]
name = "shop"
"""
RULES = "priority,source_pattern,medium_pattern,campaign_pattern,paid_required,channel_name\n1,google,,,,Search\n"
SETTINGS = """
[sources.shop]
mapping = "shop.map.toml"
data = "data"
[channels]
rules = "rules.csv"
"""


def context_of(folder: Path) -> RunContext:
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC).replace(tzinfo=None)
    return RunContext(load_settings(folder), run_id="r", now=lambda: now, progress=lambda *_: None)


def test_other_mappings_than_those_landed_by_are_refused(tmp_path: Path) -> None:
    """Found wrong once: an edited mapping stood in the manifest of numbers that the old one had made."""
    for name, text in (("shop.map.toml", MAPPING), ("rules.csv", RULES), ("marginwise.toml", SETTINGS)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    context = context_of(tmp_path)
    con = duckdb.connect()
    open_ledger(con)
    begin_stage(con, "r", "land", context.now())
    end_stage(con, "r", "land", context.now(), failed=False, facts={"landed_by": landed_by(context)})
    built = built_from(context, con)
    pipeline._require_what_it_rests_on(context_of(tmp_path), con, "check")
    (tmp_path / "rules.csv").write_text(RULES.replace("Search", "Paid"), encoding="utf-8")
    assert built_from(context_of(tmp_path), con) != built
    (tmp_path / "shop.map.toml").write_text(MAPPING + "time_zone = 'Europe/Berlin'\n", encoding="utf-8")
    with pytest.raises(OutOfOrder, match="--from land"):
        pipeline._require_what_it_rests_on(context_of(tmp_path), con, "check")
