"""A plain installation by uv or pip, without the locked files, does what the locked one does, away from its source tree.

It takes the newest DuckDB that the package accepts, while the locked files hold the line before: so both are held equal.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import venv
from pathlib import Path

import pytest

from tests.beginnings import DEMO, Beginnings
from tests.shell import BIN

ROOT = Path(__file__).resolve().parents[2]
INHERITED = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
COMPARE = """
import json, sys, duckdb
from tests.reliability.stores import contents, differing
found = []
for path in sys.argv[1:]:
    with duckdb.connect(path, read_only=True) as con:
        verdicts = con.execute("select unit_kind, unit_id, label from decisions.verdicts order by all").fetchall()
        found.append({**contents(con, "core", "marts", "quarantine"), "verdicts": verdicts})
print(json.dumps([duckdb.__version__, len(found[0]), differing(*found)]))
"""


@pytest.fixture(scope="module", params=["uv", pytest.param("pip", marks=pytest.mark.soak)])
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the package into an environment of its own and return the folder of its commands."""
    folder = tmp_path_factory.mktemp("installed")
    python = folder / "bin" / "python"
    uv = [BIN / "uv", "pip", "install", "--no-config", "--no-compile-bytecode", "--python", python]
    pip = [python, "-m", "pip", "install", "--no-compile"]
    told = ""
    # uv takes seconds where pip takes a minute; pip where uv cannot reach the index that pip is configured for
    for command in (uv, pip) if request.param == "uv" and uv[0].exists() else (pip,):
        venv.create(folder, with_pip=command is pip, clear=True)
        done = subprocess.run([*command, "-q", ROOT], env=INHERITED, capture_output=True, text=True, check=False)
        told = done.stderr
        if done.returncode == 0:
            return python.parent
    if "No matching distribution" in told:
        pytest.skip("no package index can be reached from here")
    pytest.fail(told)


def test_a_plain_install_publishes_what_the_locked_one_does(
    installed: Path, beginnings: Beginnings, tmp_path: Path
) -> None:
    def answer(*command: str | Path, **variables: str) -> str:
        done = subprocess.run(
            command, cwd=tmp_path, env={**INHERITED, **variables}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Warning" not in done.stderr  # found wrong once: every query warned of the call it was fetched by
        return done.stdout

    for command in DEMO:
        answer(installed / "marginwise", *shlex.split(command)[1:])
    assert (tmp_path / "shop" / "memo" / "memo.html").is_file()
    stores = [folder / "shop" / ".marginwise" / "published" / "store.duckdb"
              for folder in (beginnings.shared(DEMO)[0], tmp_path)]  # fmt: skip
    version, tables, differing = json.loads(answer(installed / "python", "-c", COMPARE, *stores, PYTHONPATH=str(ROOT)))
    told = json.loads(answer(installed / "marginwise", "status", "--json", "-p", "shop"))
    assert told["published"]["engine"] == f"duckdb {version}"
    assert version.startswith("2.")  # what `make next` runs all tests on
    assert tables > 15
    assert differing == []
