"""When may a run take only what is new, and what must it look at then?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from marginwise.engine.build_state import BuildState

BEFORE = BuildState(
    parts={"code": "a", "settings": "b", "tables": "c", "columns": "d", "target": "e"},
    contents={"orders": "1", "order_items": "1", "customers": "1", "weather": "1"},
    by_row=["orders", "customers", "weather"],
    files={"shop_orders x": 900, "shop_orders y": 90},
)


def test_a_run_with_nothing_new_keeps_all() -> None:
    assert BEFORE.reason_against(BEFORE) is None
    assert BEFORE.whole_tables(BEFORE) == []
    assert {"orders", "weather"} <= set(BEFORE.untouched_tables(BEFORE))


@pytest.mark.parametrize(
    ("part", "told"),
    [
        ("code", "another version"),
        ("settings", "settings"),
        ("tables", "a table came"),
        ("columns", "columns"),
        ("target", "another place"),
    ],
)
def test_what_its_meaning_rests_on_makes_all_anew_and_is_named(part: str, told: str) -> None:
    reason = replace(BEFORE, parts={**BEFORE.parts, part: "other"}).reason_against(BEFORE)
    assert reason is not None
    assert told in reason


def test_a_first_build_is_told() -> None:
    assert "not been built before" in str(BEFORE.reason_against(None))


def test_a_day_is_taken_in_and_most_of_a_store_is_not() -> None:
    day = replace(BEFORE, files={**BEFORE.files, "shop_orders z": 50})
    assert day.reason_against(BEFORE) is None
    assert "most of its rows" in str(replace(BEFORE, files={"shop_orders other": 900}).reason_against(BEFORE))


def test_a_table_made_of_several_rows_is_judged_as_a_whole_where_no_places_are_told() -> None:
    now = replace(BEFORE, contents={**BEFORE.contents, "orders": "2", "order_items": "2"})
    assert now.whole_tables(BEFORE) == ["order_items"]


def test_a_table_of_which_places_are_told_since_the_last_check_is_judged_by_them() -> None:
    now = replace(BEFORE, contents={**BEFORE.contents, "order_items": "3"})
    for told_since, whole in (
        ({"order_items": "1"}, []),
        ({"order_items": "2"}, ["order_items"]),
        ({}, ["order_items"]),
    ):
        state = replace(now, told_since=told_since)
        assert state.whole_tables(BEFORE) == whole
        assert state.tables_told(BEFORE) == ([] if whole else ["order_items"])


def test_what_a_check_that_was_killed_had_begun_with_tells_nothing() -> None:
    now = replace(BEFORE, contents={**BEFORE.contents, "order_items": "2"}, told_since={"order_items": "1"})
    assert now.whole_tables(now.while_made(BEFORE)) == ["order_items"]


def test_what_refers_to_a_changed_table_is_looked_at_too() -> None:
    now = replace(BEFORE, contents={**BEFORE.contents, "customers": "2"})
    untouched = now.untouched_tables(BEFORE)
    assert "weather" in untouched
    assert not {"customers", "orders", "order_items", "refunds"} & set(untouched)
