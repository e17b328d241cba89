"""One demo store, generated and run once by the command line, that the end-to-end tests read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.beginnings import SHOP, Beginnings
from tests.shell import marginwise


@dataclass(frozen=True)
class DemoStore:
    folder: Path
    printed: str
    verdicts: list[dict[str, Any]]


@pytest.fixture(scope="session")
def demo_store(tmp_path_factory: pytest.TempPathFactory, beginnings: Beginnings) -> DemoStore:
    """Return the demo store as `make demo` leaves it, and what was printed."""
    folder = tmp_path_factory.mktemp("demo")
    made, ran = beginnings.copied(SHOP, folder)
    assert made.code == 0, made.err
    assert ran.code == 0, ran.err
    store = folder / "shop"
    asked = marginwise("query", "-p", store, "--json", "select * from decisions.verdicts", cwd=folder)
    return DemoStore(store, ran.out, asked.json)
