"""The demo store on the next DuckDB, of `requirements/next.txt`, publishes what it does on the locked one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.beginnings import SHOP, Beginnings
from tests.shell import BIN, environment

ROOT = Path(__file__).resolve().parents[2]
NEXT = ROOT / "requirements" / "next.txt"
# what a run tells of itself, beside what it found
TOLD_OF_THE_RUN = ("manifest_id", "previous_manifest_id")
COMPARE = f"""
import json, sys, duckdb
from tests.reliability.stores import contents, differing
found = []
for path in sys.argv[1:]:
    with duckdb.connect(path, read_only=True) as con:
        found.append(contents(con, "core", "marts", "decisions", "quarantine", "ops", without={TOLD_OF_THE_RUN}))
print(json.dumps([duckdb.__version__, len(found[0]), differing(*found)]))
"""


@pytest.fixture(scope="module")
def on_next(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Install the next DuckDB into a folder of its own and return the environment in which it is the one imported."""
    pinned = NEXT.read_text(encoding="utf-8").split()[0].partition("==")[2]
    if duckdb.__version__ == pinned:
        pytest.skip(f"all tests are running on DuckDB {pinned} already")
    folder = tmp_path_factory.mktemp("next")
    locked = ["--target", folder, "--no-deps", "--require-hashes", "-q", "-r", NEXT]
    told = ""
    for installer in ([BIN / "uv", "pip", "install", "--no-config", "--python", sys.executable],
                      [sys.executable, "-m", "pip", "install"]):  # fmt: skip
        if Path(installer[0]).exists():
            done = subprocess.run([*installer, *locked], capture_output=True, text=True, check=False)
            if done.returncode == 0:
                return {**environment(), "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}
            told = done.stderr.strip()[-300:]
    pytest.skip(f"DuckDB {pinned} cannot be installed from here: {told}")


def test_the_demo_store_publishes_the_same_tables(
    on_next: dict[str, str], beginnings: Beginnings, tmp_path: Path
) -> None:
    shop = beginnings.shared(SHOP)[0] / "shop"
    copy = shutil.copytree(shop, tmp_path / "shop", ignore=shutil.ignore_patterns(".marginwise", "memo"))

    def answer(*command: str | Path) -> str:
        done = subprocess.run(command, cwd=tmp_path, env=on_next, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "Warning" not in done.stderr  # found wrong once: every query warned of the call it was fetched by
        return done.stdout

    answer(BIN / "marginwise", "run", "-p", copy)
    told: dict[str, Any] = json.loads(answer(BIN / "marginwise", "status", "--json", "-p", copy))
    stores = [folder / ".marginwise" / "published" / "store.duckdb" for folder in (shop, copy)]
    version, tables, differing = json.loads(answer(sys.executable, "-c", COMPARE, *stores))
    assert told["published"]["engine"] == f"duckdb {version}"
    assert version != duckdb.__version__
    assert tables > 30
    assert differing == []
