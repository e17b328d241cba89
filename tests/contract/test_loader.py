"""The loader: what the rest of the product knows of the contract."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from marginwise.contract.loader import TABLE_NAMES, Reference, contracts, table_contract
from marginwise.errors import MarginwiseError

TABLES = contracts()


def document(**column: Any) -> dict[str, Any]:
    key = {"name": "shop_id", "logicalType": "string", "primaryKey": True, "primaryKeyPosition": 1, "required": True}
    return {"schema": [{"name": "shops", "properties": [key, {"name": "size", "logicalType": "integer", **column}]}]}


def test_tables_come_in_contract_order_and_are_read_once() -> None:
    assert tuple(TABLES) == TABLE_NAMES
    assert contracts() is TABLES
    assert [name for name, table in TABLES.items() if table.is_required] == ["orders", "order_items"]


def test_reading_everything_is_fast_enough_for_every_command() -> None:
    contracts.cache_clear()
    started = time.perf_counter()
    contracts()
    assert time.perf_counter() - started < 1.0  # 20 ms where nothing else runs


@pytest.mark.parametrize("name", TABLE_NAMES)
def test_every_table_is_kept_apart_by_store(name: str) -> None:
    table = TABLES[name]
    assert table.column_names[0] == "store_id"
    assert table.column_names[-1] == "updated_at"
    assert table.key[0] == "store_id"
    assert len(set(table.column_names)) == len(table.columns)
    assert table.column("store_id").default == "main"
    assert not table.column("updated_at").is_required
    assert all(table.column(column).is_required for column in table.key)
    assert "store_id" not in table.required_columns


@pytest.mark.parametrize("name", TABLE_NAMES)
def test_references_lead_to_the_whole_key_with_equal_types(name: str) -> None:
    for reference in TABLES[name].references:
        target = TABLES[reference.table]
        assert reference.to_columns == target.key
        assert reference.columns[0] == reference.to_columns[0] == "store_id"
        assert reference.column == reference.columns[-1]
        pairs = zip(reference.columns, reference.to_columns, strict=True)
        assert all(TABLES[name].column(mine).type == target.column(other).type for mine, other in pairs)


@pytest.mark.parametrize("name", TABLE_NAMES)
def test_rules_fit_the_type_of_their_column(name: str) -> None:
    for column in TABLES[name].columns:
        if column.allowed is not None:
            assert column.type == "text"
            assert column.default is None or column.default in column.allowed
        if column.minimum is not None or column.maximum is not None:
            assert column.type in ("integer", "decimal")
        if column.pattern is not None:
            assert column.type == "text"
            assert re.compile(column.pattern)
        if column.is_required and column.name != "store_id":
            assert column.on_violation == "quarantine", column.name


@pytest.mark.parametrize("name", TABLE_NAMES)
def test_freshness_is_told_by_a_column_of_the_table(name: str) -> None:
    table = TABLES[name]
    assert (table.freshness_column is None) == (table.freshness_days is None)
    if table.freshness_column:
        assert table.column(table.freshness_column).type in ("timestamp", "date")


def test_versions_are_kept_of_what_changes_slowly() -> None:
    versioned = {name: table.versioned_by for name, table in TABLES.items() if table.versioned_by}
    assert versioned == {"customers": "updated_at", "products": "updated_at", "partners": "updated_at"}


def test_an_orphan_of_an_order_waits_and_other_orphans_only_warn() -> None:
    waiting = {
        (name, item.columns)
        for name, table in TABLES.items()
        for item in table.references
        if item.on_violation != "warn"
    }
    order = ("store_id", "order_id")
    assert waiting == {("order_items", order), ("refunds", order), ("payments", order)}
    line = ("store_id", "order_id", "line_number")
    assert Reference(line, "order_items", line, "warn") in TABLES["refunds"].references


def test_a_visit_that_was_not_tracked_does_not_spoil_the_grade_of_its_order() -> None:
    assert "sessions" not in {item.table for item in TABLES["orders"].references}


def test_negative_quantities_are_reported_under_their_own_name() -> None:
    quantity = TABLES["order_items"].column("quantity")
    assert (quantity.minimum, quantity.range_rule, quantity.on_violation) == (0, "negative_quantity", "quarantine")
    assert TABLES["order_items"].column("unit_price").minimum is None
    assert TABLES["order_items"].column("free_quantity").range_rule == "range"


def test_every_currency_is_held_to_its_form() -> None:
    columns = [column for table in TABLES.values() for column in table.columns if column.name == "currency"]
    assert len(columns) == 5
    assert {(column.pattern, column.pattern_rule) for column in columns} == {("^[A-Z]{3}$", "currency")}


def test_a_birthday_may_be_old_and_a_plan_may_lie_ahead() -> None:
    times = {
        f"{name}.{column.name}": column
        for name, table in TABLES.items()
        for column in table.columns
        if column.type in ("date", "timestamp")
    }
    assert {name: c.earliest for name, c in times.items() if c.earliest != "1990-01-01"} == {
        "customers.birth_date": "1900-01-01"
    }
    assert times["customers.birth_date"].minimum is None
    assert {name for name, column in times.items() if column.may_be_future} == {
        "products.launched_at",
        "product_costs.valid_from",
        "product_prices.valid_from",
        "subscriptions.valid_from",
        "subscriptions.valid_to",
        "subscriptions.ended_at",
        "weather.date",
        "budgets.period",
    }
    assert TABLES["orders"].column("order_id").earliest is None


def test_defaults_stand_in_for_what_is_missing() -> None:
    defaults = {
        f"{name}.{column.name}": column.default
        for name, table in TABLES.items()
        for column in table.columns
        if column.default is not None and column.name != "store_id"
    }
    assert defaults == {
        "orders.is_test": False,
        "order_items.free_quantity": 0,
        "refunds.restocked_quantity": 0,
        "products.kind": "good",
        "products.is_active": True,
        "inventory.location": "main",
        "marketing_spend.campaign": "(none)",
    }


def test_a_column_is_found_by_name_only() -> None:
    assert TABLES["orders"].column("status").allowed == ("pending", "paid", "shipped", "delivered", "cancelled", "void")
    with pytest.raises(KeyError, match="state"):
        TABLES["orders"].column("state")


def test_a_document_is_read_as_it_says() -> None:
    column = table_contract(
        document(
            logicalTypeOptions={"minimum": 1, "maximum": 9},
            quality=[{"name": "odd_size", "arguments": {"minimum": 1, "maximum": 9}}],
            customProperties=[{"property": "onViolation", "value": "stop"}, {"property": "unit", "value": "m"}],
        )
    ).columns[1]
    assert (column.minimum, column.maximum, column.range_rule) == (1, 9, "odd_size")
    assert (column.on_violation, column.unit) == ("stop", "m")


def test_what_the_contract_does_not_know_is_named() -> None:
    with pytest.raises(MarginwiseError, match=r"shops\.size has the type 'money'.*Accepted: string, integer"):
        table_contract(document(logicalType="money"))
    with pytest.raises(MarginwiseError, match=r"shops\.size names the violation 'shrug'.*quarantine, warn, stop"):
        table_contract(document(customProperties=[{"property": "onViolation", "value": "shrug"}]))
    without_key = document()
    without_key["schema"][0]["properties"] = without_key["schema"][0]["properties"][1:]
    with pytest.raises(MarginwiseError, match="shops declares no key"):
        table_contract(without_key)
