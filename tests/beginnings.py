"""Stores that several tests look at: each is made once a session by the commands that a page shows, and copied."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from filelock import FileLock

from tests.shell import Outcome, called, environment

SHOP = ("marginwise demo shop", "marginwise run -p shop")
DEMO = ("marginwise demo shop --orders 1000 --drops 1", "marginwise run -p shop")
RETAIL = ('marginwise init online_retail "$DATA/uci_online_retail" -p retail', "marginwise run -p retail")
VALIDATED = ("marginwise validate --stores 2 --orders 1500 --seed 5 --keep stores",)
SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


class Beginnings:
    """The folders in which the commands of a beginning have been run.

    Parameters
    ----------
    root
        A folder that all processes of the test session share.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def shared(self, commands: Sequence[str]) -> tuple[Path, list[Outcome]]:
        """Return the folder, which is for reading only, and what each command ended with."""
        name = f"beginning-{list(BEGINNINGS).index(tuple(commands))}"
        folder, told = self._root / name, self._root / f"{name}.json"
        with FileLock(self._root / f"{name}.lock"):
            if not told.exists():
                shutil.rmtree(folder, ignore_errors=True)  # of commands that broke off
                folder.mkdir()
                run = BEGINNINGS[tuple(commands)]
                outcomes = [run(command, folder) for command in commands]
                told.write_text(json.dumps([vars(outcome) for outcome in outcomes]), encoding="utf-8")
        return folder, [Outcome(**outcome) for outcome in json.loads(told.read_text(encoding="utf-8"))]

    def copied(self, commands: Sequence[str], folder: Path) -> list[Outcome]:
        """Copy what the commands left to a folder, to go on from there, and return what each ended with."""
        made, outcomes = self.shared(commands)
        shutil.copytree(made, folder, dirs_exist_ok=True)
        return outcomes


def typed(command: str, folder: Path) -> Outcome:
    """Run one command in a shell as a user would; `$DATA` is the folder of the real data sets."""
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", command], cwd=folder,
                          env={**environment(), "DATA": str(SHARED_DATA)}, text=True, capture_output=True,
                          check=False, timeout=300)  # fmt: skip
    return Outcome(done.returncode, done.stdout, done.stderr)


def spoken(command: str, folder: Path) -> Outcome:
    """Run one command of `marginwise` in this process, see `called`; `$DATA` is what it is in a shell."""
    words = [word.replace("$DATA", str(SHARED_DATA)) for word in shlex.split(command)]
    return called(*words[1:], cwd=folder)


BEGINNINGS: Mapping[tuple[str, ...], Callable[[str, Path], Outcome]] = {
    SHOP: typed,
    DEMO: spoken,
    RETAIL: spoken,
    VALIDATED: spoken,
}
