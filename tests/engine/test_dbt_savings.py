"""What dbt would make thousands of times is made once, or not at all where nobody reads it; what is read is as it was."""

from __future__ import annotations

import pytest
from dbt.adapters.events.types import SQLQuery
from dbt.cli.main import dbtRunner
from dbt.clients.jinja import get_rendered
from dbt.events.types import ConcurrencyLine, DeprecatedModel
from dbt_common.clients.jinja import get_environment
from dbt_common.events.functions import fire_event

from marginwise.engine.dbt import _hear_only_what_is_told


def test_what_is_told_is_whole_and_nothing_else_is_made() -> None:
    _hear_only_what_is_told()
    assert ConcurrencyLine(num_threads=2, node_count=7).node_count == 7
    assert DeprecatedModel(model_name="old").model_name == "old"
    unread = SQLQuery(conn_name="model.marginwise.dim_dates", sql="select 1")
    with pytest.raises(AttributeError):
        _ = unread.sql
    fire_event(unread)  # which asks it nothing


def test_dbt_still_says_what_is_wrong_with_a_command() -> None:
    _hear_only_what_is_told()
    assert "no-such-option" in str(dbtRunner().invoke(["parse", "--no-such-option"]).exception)


def test_a_template_is_compiled_once_and_says_what_each_run_fills_in() -> None:
    _hear_only_what_is_told()
    template = "limit {{ 2 * rows }}"
    once = get_environment().compile(template)
    assert get_environment().compile(template) is once
    assert get_environment(native=True).compile(template) is not once  # which yields numbers as numbers
    assert [get_rendered(template, {"rows": rows}) for rows in (1, 2)] == ["limit 2", "limit 4"]
