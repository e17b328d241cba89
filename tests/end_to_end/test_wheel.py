"""A plain installation by uv or pip, without the locked files, runs the demo away from its source tree."""

from __future__ import annotations

import os
import subprocess
import venv
from pathlib import Path

import pytest

from tests.shell import BIN

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("installer", ["uv", pytest.param("pip", marks=pytest.mark.soak)])
def test_a_plain_install_runs_the_demo(installer: str, tmp_path: Path) -> None:
    python = tmp_path / "env" / "bin" / "python"
    uv = [BIN / "uv", "pip", "install", "--no-config", "--no-compile-bytecode", "--python", python]
    pip = [python, "-m", "pip", "install", "--no-compile"]
    told = ""
    # uv takes seconds where pip takes a minute; pip where uv cannot reach the index that pip is configured for
    for command in (uv, pip) if installer == "uv" and uv[0].exists() else (pip,):
        venv.create(tmp_path / "env", with_pip=command is pip, clear=True)
        done = subprocess.run([*command, "-q", "duckdb<2", ROOT], capture_output=True, text=True, check=False)
        told = done.stderr
        if done.returncode == 0:
            break
    else:
        if "No matching distribution" in told:
            pytest.skip("no package index can be reached from here")
        pytest.fail(told)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    for arguments in (["demo", "shop", "--orders", "600"], ["run", "-p", "shop"]):
        done = subprocess.run(
            [python.with_name("marginwise"), *arguments],
            cwd=tmp_path, env=inherited, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "shop" / "memo" / "memo.html").is_file()
