"""A mapping compiles to all contract columns, or says which expression needs which column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from marginwise.connectors.compilation import LINEAGE_COLUMNS, Compiler, compile_table, empty_table
from marginwise.connectors.mapping import Mapping, load_mapping
from marginwise.contract.loader import contracts
from marginwise.errors import BadMapping, UnknownColumn
from tests.connectors.test_mapping import FLAT, written

if TYPE_CHECKING:
    from pathlib import Path

LINES = {"lines": dict.fromkeys(("No", "Day", "Item", "Pieces", "Price"), "VARCHAR")}
JOINED = """
[files.labels]
path = "labels.csv"
optional = true
[[tables]]
table = "products"
from = "lines as l"
join = "left join labels as t on t.code = l.\\"Item\\""
where = "l.\\"Item\\" is not null"
[tables.columns]
product_id = 'l."Item"'
name = "t.label"
x_note = "t.note"
"""


def flat(folder: Path, old: str = "", new: str = "", more: str = "") -> Mapping:
    return load_mapping(written(folder, FLAT.replace(old, new) + more))


def test_all_contract_columns_come_in_order(tmp_path: Path) -> None:
    more = "x_note = '\"Price\" || 1'\n"
    sql = compile_table(flat(tmp_path, more=more), "order_items", LINES)
    with Compiler(flat(tmp_path, more=more), LINES) as compiler:
        names = list(compiler.types(sql))
    assert names == [*contracts()["order_items"].column_names, "x_note", *LINEAGE_COLUMNS]


def test_a_table_without_files_is_typed_and_empty(tmp_path: Path) -> None:
    assert compile_table(flat(tmp_path), "orders", {}) == empty_table("orders")
    with Compiler(flat(tmp_path), {}) as compiler:
        types = compiler.types(empty_table("orders"))
    assert types["ordered_at"] == "TIMESTAMP"
    assert types["discount_amount"] == "DECIMAL(18,4)"
    assert types["_row_number"] == "BIGINT"


def test_a_missing_column_is_named_with_its_place_and_neighbours(tmp_path: Path) -> None:
    with pytest.raises(UnknownColumn) as caught:
        compile_table(flat(tmp_path, '"Pieces"', '"Peices"'), "order_items", LINES)
    message = str(caught.value)
    assert "lacks the column 'Peices'" in message
    assert "tables.order_items.columns.quantity" in message
    assert "Did you mean 'Pieces'" in message
    assert "No, Day, Item, Pieces, Price" in message


def test_broken_sql_is_named_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(BadMapping, match=r"tables\.order_items\.columns\.quantity cannot be evaluated"):
        compile_table(flat(tmp_path, "'\"Pieces\"'", "'\"Pieces\" +'"), "order_items", LINES)
    with pytest.raises(BadMapping, match=r"columns\.quantity cannot be evaluated.*pieces_of"):
        compile_table(flat(tmp_path, "'\"Pieces\"'", "'pieces_of(\"No\")'"), "order_items", LINES)


def test_a_function_that_is_not_there_gets_its_nearest(tmp_path: Path) -> None:
    with pytest.raises(BadMapping) as caught:
        compile_table(flat(tmp_path, "'\"Item\"'", "'uper(\"Item\")'"), "order_items", LINES)
    assert caught.value.nearest == "upper"
    assert "cannot be evaluated: Scalar Function with name uper" in str(caught.value)


def test_a_format_of_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    mapping = flat(tmp_path, 'path = "sales*.csv"', 'path = "s"\n[files.lines.formats]\nPrise = "number"')
    with pytest.raises(UnknownColumn, match=r"files\.lines\.formats.*Did you mean 'Price'"):
        compile_table(mapping, "order_items", LINES)


def test_a_join_with_an_optional_group_that_has_not_landed_gives_nulls(tmp_path: Path) -> None:
    mapping = flat(tmp_path, more=JOINED)
    sql = compile_table(mapping, "products", LINES)
    assert '"labels"' in sql
    with pytest.raises(UnknownColumn, match="the file group 'labels' lacks the column 'note'"):
        compile_table(mapping, "products", {**LINES, "labels": {"code": "VARCHAR", "label": "VARCHAR"}})


def test_a_file_is_held_against_what_is_needed_of_it(tmp_path: Path) -> None:
    more = "x_note = '\"Note\"'\n"
    mapping = flat(tmp_path, more=more)
    whole = {"lines": {**LINES["lines"], "Note": "VARCHAR"}}
    with Compiler(mapping, whole) as compiler:
        assert compiler.check_file("lines", whole["lines"]) == []
        assert compiler.check_file("lines", LINES["lines"]) == ["order_items.x_note"]
        with pytest.raises(UnknownColumn, match="the file lacks the column 'Day'"):
            compiler.check_file("lines", {name: "VARCHAR" for name in whole["lines"] if name != "Day"})
        assert compiler.check_file("lines", whole["lines"]) == []


def test_a_column_that_a_file_lacks_is_not_taken_from_another_expression(tmp_path: Path) -> None:
    mapping = flat(tmp_path, more="x_note = '\"Price\"'\nx_loud = 'upper(x_note)'\nx_long = '\"Item\" || x_loud'\n")
    whole = {"lines": {**LINES["lines"], "x_note": "VARCHAR", "x_loud": "VARCHAR"}}
    with Compiler(mapping, whole) as compiler:
        assert compiler.check_file("lines", whole["lines"]) == []
        assert compiler.check_file("lines", LINES["lines"]) == ["order_items.x_long", "order_items.x_loud"]


def test_same_names_takes_contract_columns_and_keeps_the_rest() -> None:
    columns = {
        "orders": dict.fromkeys(("ORDER_ID", "ordered_at", "status", "currency", "Gift wrap?", "x_tag"), "VARCHAR")
    }
    with Compiler(load_mapping("contract"), columns) as compiler:
        names = list(compiler.types(compiler.table("orders")))
        assert {"x_gift_wrap", "x_tag"} <= set(names)
        with pytest.raises(UnknownColumn, match="lacks the column 'status'"):
            compiler.check_file("orders", {"order_id": "VARCHAR", "ordered_at": "VARCHAR", "state": "VARCHAR"})


def test_columns_that_come_to_one_name_are_all_kept() -> None:
    """Found lost once: of `Größe` and `Grüße`, or `Foo Bar` and `foo_bar`, only the last was kept."""
    own = ("order_id", "ordered_at", "status", "currency")
    columns = dict.fromkeys((*own, "Foo Bar", "foo_bar_2", "Größe", "foo_bar", "Grüße"), "VARCHAR")
    with Compiler(load_mapping("contract"), {"orders": columns}) as compiler:
        names = [name for name in compiler.types(compiler.table("orders")) if name.startswith("x_")]
    assert names == ["x_foo_bar", "x_foo_bar_2", "x_gr_sse", "x_foo_bar_3", "x_gr_sse_2"]
