from __future__ import annotations

from pathlib import Path

import pytest

from marginwise.engine.duckdb import open_warehouse
from marginwise.errors import BrokenStore


def test_no_bar_is_drawn_where_json_is_written(tmp_path: Path) -> None:
    """Found wrong once: a query of more than two seconds drew the engine's bar on standard output."""
    con = open_warehouse(tmp_path / "warehouse.duckdb")
    assert con.execute("select current_setting('enable_progress_bar')").fetchall() == [(False,)]
    con.close()


def test_a_file_that_is_no_warehouse_is_named(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(BrokenStore, match=r"warehouse\.duckdb"):
        open_warehouse(path)
