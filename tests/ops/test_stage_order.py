"""A stage rests on what ran before it: what failed, is missing or was made of other settings is never published."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.shell import marginwise

pytestmark = pytest.mark.xdist_group("stage_order")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("order") / "store"
    assert marginwise("demo", folder, "--orders", "600", cwd=folder.parent).code == 0
    return folder


def test_a_stage_without_its_predecessors_says_what_to_run(store: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(store, tmp_path / "store")
    refused = marginwise("run", "publish", "-p", copy, cwd=copy)
    assert refused.code == 4
    assert "run --from land" in refused.err


def test_other_settings_than_those_built_with_are_refused(store: Path) -> None:
    assert marginwise("run", "-p", store, cwd=store).code == 0
    settings = store / "marginwise.toml"
    before = settings.read_text(encoding="utf-8")
    settings.write_text(before + "\n[decisions]\nhorizon_days = 60\n" if "\n[decisions]" not in before
                        else before.replace("[decisions]", "[decisions]\nhorizon_days = 60"), encoding="utf-8")  # fmt: skip
    refused = marginwise("run", "decide", "publish", "-p", store, cwd=store)
    assert refused.code == 4
    assert "--from check" in refused.err
    settings.write_text(before, encoding="utf-8")
    assert marginwise("run", "decide", "publish", "-p", store, cwd=store).code == 0


def test_a_build_that_failed_is_never_published(store: Path) -> None:
    """Found wrong once: after a failed build, `decide` published the tables it had left behind."""
    import duckdb

    con = duckdb.connect(str(store / ".marginwise" / "warehouse.duckdb"))
    con.execute("update ops.runs set status = 'failed' where stage = 'build'")
    con.close()
    refused = marginwise("decide", "-p", store, cwd=store)
    assert refused.code == 4
    assert "'build', which failed" in refused.err
    assert marginwise("run", "--from", "build", "-p", store, cwd=store).code == 0
