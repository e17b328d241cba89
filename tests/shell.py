"""Runs the command line the way a user does, as a process; or, where the start of one proves nothing, in this process."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from marginwise.cli.commands import main

BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def environment() -> dict[str, str]:
    """Return what a user's shell would set: as wide as it likes, and with Python keeping what it has compiled."""
    own = ("COLUMNS", "PYTHONDONTWRITEBYTECODE")
    inherited = {name: value for name, value in os.environ.items() if name not in own}
    return {**inherited, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1"}


def marginwise(*arguments: str | Path, cwd: Path, timeout: float = 300) -> Outcome:
    """Run `marginwise` with the arguments in a folder."""
    done = subprocess.run(
        [str(BIN / "marginwise"), *map(str, arguments)],
        cwd=cwd, env=environment(), capture_output=True, text=True, timeout=timeout, check=False,
    )  # fmt: skip
    return Outcome(done.returncode, done.stdout, done.stderr)


def called(*arguments: str | Path, cwd: Path) -> Outcome:
    """Call the command line's `main` as `marginwise` does, in this process, which has paid for the imports of dbt already."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with (
        contextlib.chdir(cwd), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err),
        mock.patch.object(sys, "argv", ["marginwise", *map(str, arguments)]),
        mock.patch.dict(os.environ, environment(), clear=True),
    ):  # fmt: skip
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
    return Outcome(code, out.getvalue(), err.getvalue())
