"""What is generated from the contract: in step with it, and readable by those who use it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml

from marginwise.contract.generate import generated_files, main
from marginwise.contract.loader import contracts

ROOT = Path(__file__).parents[2]
MACRO = "src/marginwise/warehouse/macros/contract.sql"
SOURCES = "src/marginwise/warehouse/models/staging/sources.yml"
PAGE = "docs/contract.md"


def macro_value(text: str) -> Any:
    returned: list[Any] = []
    template = jinja2.Environment(autoescape=False).from_string(text + "{{ contract_tables() }}")
    template.render({"return": returned.append})
    (value,) = returned
    return value


@pytest.mark.parametrize("name", list(generated_files()))
def test_generated_file_is_in_step_with_the_contract(name: str) -> None:
    wanted = generated_files()[name]
    assert (ROOT / name).read_text(encoding="utf-8") == wanted, "run: python -m marginwise.contract.generate"


def test_generating_again_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(tmp_path) == 0
    assert capsys.readouterr().out.splitlines() == [f"wrote {name}" for name in generated_files()]
    assert main(tmp_path) == 0
    assert capsys.readouterr().out == ""


def test_the_macro_says_what_the_loader_says() -> None:
    given = macro_value(generated_files()[MACRO])
    assert list(given) == list(contracts())
    for name, table in contracts().items():
        facts = given[name]
        assert facts["required"] is table.is_required
        assert facts["key"] == list(table.key)
        assert facts["versioned_by"] == table.versioned_by
        assert (facts["freshness_column"], facts["freshness_days"]) == (table.freshness_column, table.freshness_days)
        assert [(r["columns"], r["table"], r["to_columns"], r["on_violation"]) for r in facts["references"]] == [
            (list(r.columns), r.table, list(r.to_columns), r.on_violation) for r in table.references
        ]
        for said, column in zip(facts["columns"], table.columns, strict=True):
            assert said == {
                "name": column.name,
                "type": column.type,
                "sql_type": column.sql_type,
                "required": column.is_required,
                "allowed": None if column.allowed is None else list(column.allowed),
                "minimum": column.minimum,
                "maximum": column.maximum,
                "earliest": column.earliest,
                "may_be_future": column.may_be_future,
                "pattern": column.pattern,
                "default": column.default,
                "pii": column.is_pii,
                "on_violation": column.on_violation,
                "range_rule": column.range_rule,
                "pattern_rule": column.pattern_rule,
            }


def test_dbt_sources_list_every_table_and_column() -> None:
    (source,) = yaml.safe_load(generated_files()[SOURCES])["sources"]
    assert (source["name"], source["schema"]) == ("landed", "{{ env_var('MARGINWISE_BUILD_PREFIX', '') }}landed")
    assert [table["name"] for table in source["tables"]] == list(contracts())
    lineage = ["_source", "_file_hash", "_row_number", "_file_date", "_landed_date", "_raw_table"]
    for table in source["tables"]:
        names = [column["name"] for column in table["columns"]]
        assert names == [*contracts()[table["name"]].column_names, *lineage]


def test_the_page_has_a_section_for_every_table_and_a_line_for_every_column() -> None:
    sections = generated_files()[PAGE].split("\n## ")[1:]
    assert [section.splitlines()[0] for section in sections] == list(contracts())
    for section, table in zip(sections, contracts().values(), strict=True):
        rows = [line for line in section.splitlines() if line.startswith(("| `", "| **`"))]
        assert len(rows) == len(table.columns) - 2
        assert all(row.count(" | ") == 4 for row in rows)
