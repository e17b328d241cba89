"""Of dbt's many events only those that somebody listens to are made, and its warnings."""

from __future__ import annotations

import pytest
from dbt.adapters.events.types import SQLQuery
from dbt.cli.main import dbtRunner
from dbt.events.types import ConcurrencyLine, DeprecatedModel
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
