"""What dbt would make thousands of times is made once, or not at all where nobody reads it; what is read is as it was."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from dbt.adapters.events.types import SQLQuery
from dbt.artifacts.resources import Contract
from dbt.cli.main import dbtRunner
from dbt.clients.jinja import get_rendered
from dbt.context.macros import MacroNamespaceBuilder
from dbt.events.types import ConcurrencyLine, DeprecatedModel
from dbt_common.clients.jinja import CallableMacroGenerator, get_environment
from dbt_common.dataclass_schema import ValidationError
from dbt_common.events.functions import fire_event

from marginwise.engine.dbt import WarehouseProject
from marginwise.engine.dbt_savings import macros_in_reach, schemas_believed, spare_what_is_not_read
from marginwise.engine.duckdb import open_warehouse
from tests.warehouse.harness import land_rows


def test_what_is_told_is_whole_and_nothing_else_is_made() -> None:
    spare_what_is_not_read()
    assert ConcurrencyLine(num_threads=2, node_count=7).node_count == 7
    assert DeprecatedModel(model_name="old").model_name == "old"
    unread = SQLQuery(conn_name="model.marginwise.dim_dates", sql="select 1")
    with pytest.raises(AttributeError):
        _ = unread.sql
    fire_event(unread)  # which asks it nothing


def test_dbt_still_says_what_is_wrong_with_a_command() -> None:
    spare_what_is_not_read()
    assert "no-such-option" in str(dbtRunner().invoke(["parse", "--no-such-option"]).exception)


def test_dbt_holds_what_others_read_against_its_schemas() -> None:
    """In this process another project may be parsed, whose files are not of this package."""
    spare_what_is_not_read()
    wrong = {"enforced": "perhaps"}
    first, second = schemas_believed(), schemas_believed()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    Contract.validate(wrong)  # of the second run, which is at work yet
    second.__exit__(None, None, None)
    with pytest.raises(ValidationError):
        Contract.validate(wrong)


def test_a_macro_is_made_once_and_sees_what_its_context_comes_to_hold() -> None:
    spare_what_is_not_read()
    context = {"rate": 2}
    macro = SimpleNamespace(
        name="times", macro_sql="{% macro times(x) %}{{ rate * x }}{% endmacro %}", unique_id="times"
    )
    generator: Any = CallableMacroGenerator(macro, context)  # type: ignore[arg-type]
    once = generator.get_macro()
    assert generator.call_macro(3).strip() == "6"
    context["rate"] = 5
    assert generator.call_macro(3).strip() == "15"
    assert generator.get_macro() is once


def test_a_template_is_compiled_once_and_says_what_each_run_fills_in() -> None:
    spare_what_is_not_read()
    template = "limit {{ 2 * rows }}"
    once = get_environment().compile(template)
    assert get_environment().compile(template) is once
    assert get_environment(native=True).compile(template) is not once  # which yields numbers as numbers
    assert [get_rendered(template, {"rows": rows}) for rows in (1, 2)] == ["limit 2", "limit 4"]


@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
def test_a_node_is_given_what_its_text_its_settings_and_its_materialization_lead_to(engine: str) -> None:
    def macro(text: str, *calls: str, package: str = "dbt") -> SimpleNamespace:
        return SimpleNamespace(macro_sql=text, depends_on=SimpleNamespace(macros=list(calls)), package_name=package)

    macros = {
        "own.rounded": macro("{{ dispatch('cut') }}", package="own"),
        "own.hook": macro("select 1", package="own"),
        "dbt.default__cut": macro("trunc", "dbt.told"),
        "dbt.told": macro(""),
        "dbt.made": macro("{{ statement('main') }}"),
        "dbt.statement": macro(""),
        "dbt.snapshot": macro("{{ statement('main') }}"),
    }
    for key, one in macros.items():
        one.name, one.unique_id = key.partition(".")[2], key
    node = SimpleNamespace(
        raw_code="select {{ rounded('x') }}", config={"pre_hook": "{{ hook() }}"}, depends_on=SimpleNamespace(macros=[]),
        get_materialization=lambda: "table",
    )  # fmt: skip
    made_by = {("own", "table", engine): macros["dbt.made"]}
    manifest = SimpleNamespace(
        macros=macros, nodes={"model.orders": node}, metadata=SimpleNamespace(project_name="own"),
        find_materialization_macro_by_name=lambda *asked: made_by.get(asked),
    )  # fmt: skip
    (found,) = macros_in_reach(manifest, engine).values()
    assert found == {
        "own": {"rounded": macros["own.rounded"], "hook": macros["own.hook"]},
        "dbt": {name: macros[f"dbt.{name}"] for name in ("default__cut", "told", "made", "statement")},
    }


def test_a_generic_test_is_given_all_macros_since_its_arguments_may_name_any() -> None:
    node = SimpleNamespace(test_metadata=SimpleNamespace(kwargs={"model": "{{ get_where_subquery(ref('orders')) }}"}))
    assert macros_in_reach(SimpleNamespace(macros={}, nodes={"test.not_null": node}), "duckdb") == {}


def test_models_are_built_with_the_macros_that_they_reach_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, set[str]] = {}
    build_namespace = MacroNamespaceBuilder.build_namespace

    def looked_at(self: Any, macros_by_package: Any, ctx: Any) -> Any:
        given[self.node.unique_id if self.node else "none"] = {
            name for macros in macros_by_package.values() for name in macros
        }
        return build_namespace(self, macros_by_package, ctx)

    monkeypatch.setattr(MacroNamespaceBuilder, "build_namespace", looked_at)
    land_rows(con := open_warehouse(tmp_path / "warehouse.duckdb"), {})
    con.close()
    project = WarehouseProject(tmp_path / "warehouse.duckdb", {})
    project.build("+stg_orders")
    all_macros = {macro.name for macro in project._manifest(dbtRunner).macros.values()}
    model, view = given["model.marginwise.chk_orders"], given["model.marginwise.stg_orders"]
    assert len(view) < len(all_macros) / 10
    assert len(model) < len(all_macros) / 4
    assert {"materialization_kept_default", "checked_rows", "duckdb__row_address", "statement"} <= model
    assert not {"materialization_kept_default", "checked_rows", "snapshot_get_time"} & view
    assert any(len(macros) >= len(all_macros) for macros in given.values())  # what dbt itself calls has them all
