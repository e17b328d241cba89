"""Real stores come to the same tables on DuckDB and on PostgreSQL."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from marginwise.engine.postgres import PostgresServer
from tests.engine.engines import differences, run_on_both

pytestmark = pytest.mark.soak


@pytest.mark.parametrize(
    ("source", "folder", "currency"),
    [
        ("online_retail", "uci_online_retail", "GBP"),
        ("maven_fuzzy_factory", "maven_fuzzy_factory", "USD"),
        ("olist", "olist", "BRL"),
    ],
)
def test_a_real_store_is_the_same_on_both_engines(
    source: str,
    folder: str,
    currency: str,
    postgres: str,
    shared_data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with PostgresServer(postgres, "").connected() as connection:
        with connection.cursor() as cursor:
            cursor.execute(f"create role {source}_analyst")
        connection.commit()
    monkeypatch.setenv("MARGINWISE_POSTGRES_DSN", postgres)
    settings = (
        f'[store]\ncurrency = "{currency}"\n[sources.{source}]\nmapping = "{source}"\n'
        f"data = {json.dumps(str(shared_data / folder))}\n"
    )
    projects = run_on_both(tmp_path, settings, prefix=f"{source}_", reader=f"{source}_analyst")
    assert differences(*projects) == []
