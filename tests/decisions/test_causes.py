from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest

from marginwise.decisions.causes import CAUSES, Cause, causes_of

OLD_DAY, NEW_DAY = dt.date(2025, 3, 4), dt.date(2025, 5, 9)


def manifest(**changes: Any) -> dict[str, Any]:
    return {
        "as_of_date": "2025-04-30",
        "inputs": [{"source": "shop", "file": "orders.csv", "hash": "aa", "rows": 3}],
        "declared": {"definition": {"decisions.horizon_days": 90}, "cost": {"assumptions.shipping_cost.default": 4.9}},
        "code_parts": {"definition": "d1", "model": "m1"},
        "engine": "duckdb 1",
        **changes,
    }


def part(table: str = "orders", day: dt.date | None = OLD_DAY, rows: int = 2, **changes: Any) -> dict[str, Any]:
    return {"table_name": table, "day_date": day, "part": 0, "rows_count": rows, "key_content": f"keys {rows}",
            "content": f"rows {rows}", "cost_content": f"costs {rows}", **changes}  # fmt: skip


def days(*parts: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(parts) or [part()])


OTHER_FILES = manifest(inputs=[{"source": "shop", "file": "orders.csv", "hash": "bb", "rows": 3}])


def named(found: list[Cause]) -> dict[str, str]:
    return {cause.name: cause.text for cause in found}


@pytest.mark.parametrize(
    ("changed", "name", "detail"),
    [
        ({"as_of_date": "2025-05-31"}, "new data", "the as-of day moved from 30 April 2025 to 31 May 2025"),
        ({"as_of_date": "2025-03-31"}, "definition", "the as-of day was set back from 30 April 2025 to 31 March 2025"),
        ({"declared": {"definition": {"decisions.horizon_days": 60}, "cost": manifest()["declared"]["cost"]}},
         "definition", "decisions.horizon_days was 90, is 60"),
        ({"declared": {"definition": manifest()["declared"]["definition"], "cost": {}}},
         "cost", "assumptions.shipping_cost.default was 4.9, is not set"),
        ({"code_parts": {"definition": "d2", "model": "m1"}}, "definition", "the code of how rows become numbers"),
        ({"code_parts": {"definition": "d1", "model": "m2"}}, "model", "the code of the evidence model"),
        ({}, "model", "libraries"),
    ],
)  # fmt: skip
def test_manifests_tell_one_cause_each(changed: dict[str, Any], name: str, detail: str) -> None:
    found = named(causes_of(manifest(), manifest(**changed), days(), days()))
    assert list(found) == [name]
    assert detail in found[name]


@pytest.mark.parametrize(
    ("before", "after", "name", "detail"),
    [
        (part(rows=2), part(rows=5), "late data", "orders: 3 rows of 4 March 2025 added"),
        (part(rows=2), part(rows=2, content="other"), "correction", "orders: rows of 4 March 2025 changed"),
        (part(rows=2), part(rows=2, key_content="other", content="other"), "correction", "orders: rows"),
        (part(rows=2), part(rows=1), "correction", "orders: rows of 4 March 2025 changed"),
        (part(rows=2), part(rows=2, cost_content="other"), "cost", "orders: rows of 4 March 2025 changed"),
        (part("product_costs", None), part("product_costs", None, 3), "cost", "product_costs: 1 row added"),
        (part("products", None), part("products", None, 3), "late data", "products: 1 row added"),
        (part(day=NEW_DAY), part(day=NEW_DAY, rows=9), "new data", "orders.csv"),
    ],
)  # fmt: skip
def test_changed_files_are_told_by_the_days_they_touch(
    before: dict[str, Any], after: dict[str, Any], name: str, detail: str
) -> None:
    found = named(causes_of(manifest(), OTHER_FILES, days(before), days(after)))
    assert list(found) == [name]
    assert detail in found[name]


def test_rows_of_days_that_are_new_are_new_data_and_nothing_else() -> None:
    later = {**OTHER_FILES, "as_of_date": "2025-05-31"}
    found = causes_of(manifest(), later, days(part()), days(part(), part(day=NEW_DAY), part("products", None)))
    assert [cause.name for cause in found] == ["new data"]


def test_rows_of_old_days_are_late_even_where_the_as_of_day_moved() -> None:
    later = {**OTHER_FILES, "as_of_date": "2025-05-31"}
    found = causes_of(manifest(), later, days(part()), days(part(rows=3), part(day=NEW_DAY)))
    assert [cause.name for cause in found] == ["new data", "late data"]


def test_a_row_added_and_a_row_changed_on_one_day_are_told_apart() -> None:
    after = days(part(rows=3), {**part(content="other"), "part": 1})
    found = named(causes_of(manifest(), OTHER_FILES, days(part(), {**part(), "part": 1}), after))
    assert list(found) == ["late data", "correction"]


def test_day_contents_hashed_by_another_engine_are_not_compared() -> None:
    other = {**OTHER_FILES, "engine": "duckdb 2"}
    assert named(causes_of(manifest(), other, days(), days(part(content="x"))))["correction"] == "files: orders.csv"
    more = manifest(inputs=[*manifest()["inputs"], {"source": "shop", "file": "late.csv", "hash": "cc", "rows": 1}])
    assert named(causes_of(manifest(), more, None, days()))["late data"] == "files: late.csv"


def test_several_causes_come_in_a_fixed_order() -> None:
    changed = manifest(
        as_of_date="2025-05-31",
        inputs=OTHER_FILES["inputs"],
        declared={"definition": {}, "cost": {}},
        code_parts={"definition": "d1", "model": "m2"},
    )
    before, after = days(part(), part("refunds")), days(part(rows=3), part("refunds", content="x"))
    assert [cause.name for cause in causes_of(manifest(), changed, before, after)] == list(CAUSES)
