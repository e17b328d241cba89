"""One small clean store as CSV files, read back by DuckDB, for all tests of the generator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest

from marginwise.contract.loader import contracts
from marginwise.demo.store import generate_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from marginwise.demo.truth import StoreTruth

Store = tuple[duckdb.DuckDBPyConnection, "StoreTruth"]


def read_files(directory: Path, form: str = "csv") -> duckdb.DuckDBPyConnection:
    """Open a connection with one typed view per file."""
    con = duckdb.connect()
    for name, contract in contracts().items():
        path = directory / f"{name}.{form}"
        if form == "csv":
            types = {column.name: column.sql_type for column in contract.columns}
            con.execute(f"create view {name} as select * from read_csv('{path}', header = true, types = {types})")
        else:
            con.execute(f"create view {name} as select * from '{path}'")
    return con


@pytest.fixture(scope="session")
def clean_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Return a clean store of default size: its files as views, and its truth."""
    directory = tmp_path_factory.mktemp("clean-store")
    truth = generate_store(directory, dirt_rate=0.0)
    con = read_files(directory)
    yield con, truth
    con.close()
