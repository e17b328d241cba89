"""Plain pip, without the locked files, installs the package, and it works away from its source tree."""

from __future__ import annotations

import os
import subprocess
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_a_plain_pip_install_runs_the_demo(tmp_path: Path) -> None:
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    pip = [python, "-m", "pip", "install", "-q", "--no-compile", "duckdb<2", ROOT]
    installed = subprocess.run(pip, capture_output=True, text=True, check=False)
    if installed.returncode and "No matching distribution" in installed.stderr:
        pytest.skip("no package index can be reached from here")
    assert installed.returncode == 0, installed.stderr
    command = python.with_name("marginwise")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    for arguments in (["demo", "shop", "--orders", "600"], ["run", "-p", "shop"]):
        done = subprocess.run(
            [command, *arguments], cwd=tmp_path, env=inherited, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "shop" / "memo" / "memo.html").is_file()
