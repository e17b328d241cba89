"""Each core and intermediate model has a document beside it that names its columns in order, each with a description."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from marginwise.engine.dbt import project_directory
from tests.warehouse.harness import build
from tests.warehouse.rows import CORE, item, order, records

FOLDERS = ("core", "intermediate/channels", "intermediate/orders", "intermediate/refunds", "intermediate/sessions",
           "intermediate/spend")  # fmt: skip
MODELS = sorted(file for folder in FOLDERS for file in (project_directory() / "models" / folder).glob("*.sql"))


@pytest.fixture(scope="module")
def built() -> dict[str, list[str]]:
    con = build({"orders": [order("o", "2024-03-01")], "order_items": [item("o")]}, select=CORE)
    rows = records(
        con,
        "select table_name, column_name from information_schema.columns"
        " where table_schema in ('core', 'intermediate') order by table_name, ordinal_position",
    )
    columns: dict[str, list[str]] = {}
    for row in rows:
        columns.setdefault(row["table_name"], []).append(row["column_name"])
    return columns


@pytest.mark.parametrize("model", [model.stem for model in MODELS])
def test_the_document_names_the_columns(model: str, built: dict[str, list[str]]) -> None:
    file = next(file for file in MODELS if file.stem == model).with_suffix(".yml")
    document = yaml.safe_load(file.read_text(encoding="utf-8"))["models"][0]
    assert document["name"] == model
    assert document["description"].startswith("Grain: one")
    assert "Key: " in document["description"]
    assert [column["name"] for column in document["columns"]] == built[model]
    assert all(column["description"][-1] in ".?" for column in document["columns"])


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.stem)
def test_models_are_short_and_state_their_grain(model: Path) -> None:
    lines = model.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("-- Grain: one")
    assert len(lines) <= 100
