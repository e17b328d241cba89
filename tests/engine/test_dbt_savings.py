"""What dbt would make thousands of times is made once, or not at all where nobody reads it; what is read is as it was."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from dbt.adapters.events.types import SQLQuery
from dbt.cli.main import dbtRunner
from dbt.clients.jinja import get_rendered
from dbt.events.types import ConcurrencyLine, DeprecatedModel
from dbt_common.clients.jinja import get_environment
from dbt_common.events.functions import fire_event

from marginwise.engine.dbt import WarehouseProject
from marginwise.engine.dbt_savings import macros_in_reach, spare_what_is_not_read


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


def test_a_model_is_built_with_a_tenth_of_all_macros(tmp_path: Path) -> None:
    project = WarehouseProject(tmp_path / "warehouse.duckdb", {})
    parsed = project._manifest(dbtRunner)
    found = macros_in_reach(parsed, "duckdb")
    assert found.keys() == parsed.nodes.keys()
    sizes = [sum(map(len, macros.values())) for macros in found.values()]
    assert sum(sizes) < len(sizes) * len(parsed.macros) / 9
    kept = found["model.marginwise.fct_orders"]
    assert {"materialization_kept_default", "is_touched", "duckdb__row_address"} <= kept["marginwise"].keys()
    assert not [name for name in kept["dbt"] if "snapshot" in name]
