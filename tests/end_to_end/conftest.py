"""One demo store, generated and run once by the command line, that the end-to-end tests read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.shell import marginwise


@dataclass(frozen=True)
class DemoStore:
    folder: Path
    printed: str
    verdicts: list[dict[str, Any]]


@pytest.fixture(scope="session")
def demo_store(tmp_path_factory: pytest.TempPathFactory) -> DemoStore:
    """Return the demo store as `make demo` leaves it, and what was printed."""
    folder = tmp_path_factory.mktemp("demo") / "demo-store"
    made = marginwise("demo", folder, cwd=folder.parent)
    assert made.code == 0, made.err
    ran = marginwise("run", "-p", folder, cwd=folder.parent)
    assert ran.code == 0, ran.err
    asked = marginwise("query", "-p", folder, "--json", "select * from decisions.verdicts", cwd=folder.parent)
    return DemoStore(folder, ran.out, asked.json)
