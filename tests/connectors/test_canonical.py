"""Text of a file becomes canonical text; what does not fit stays as it is and never passes for something else."""

from __future__ import annotations

import duckdb
import pytest

from marginwise.connectors.canonical import cleaned, literal, utc
from marginwise.connectors.mapping import FileGroup


def value(text: str, sql_type: str = "VARCHAR", **options: object) -> object:
    group = FileGroup.model_validate({"path": "*", **options})
    sql = cleaned("c", "c", sql_type, group)
    return duckdb.sql(f"select {sql} from (select cast({literal(text)} as {sql_type}) as c)").fetchall()[0][0]


@pytest.mark.parametrize(
    ("text", "expected"), [("  x ", "x"), ("", None), ("\u00a0\t", None), ("NULL", "NULL"), ("a b", "a b")]
)
def test_text_is_trimmed_and_empty_is_null(text: str, expected: str | None) -> None:
    assert value(text) == expected


def test_null_tokens_are_null_also_with_space_around() -> None:
    assert value(" NULL ", null=["NULL", "-"]) is None
    assert value("-", null=["NULL", "-"]) is None
    assert value("", null=["NULL"]) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.234,50", "1234.50"), ("1234,5", "1234.5"), ("-3", "-3"), ("3,00-", "-3.00"), ("(3,00)", "-3.00"),
        ("1 234,50 €", "1234.50"), ("€ 7", "7"), (",5", ".5"), ("1.234.567", "1234567"), ("abc", "abc"),
        ("1.23", '"1.23"'), ("12.3456,7", "12.3456,7"), ("1,2,3", "1,2,3"),
    ],
)  # fmt: skip
def test_numbers_with_decimal_commas(text: str, expected: str) -> None:
    assert value(text, decimal=",", thousands=".", formats={"c": "number"}) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("1,234.50", "1234.50"), ("$5", "5"), ("1e5", "1e5"), ("1,23", "1,23"), ("+4", "+4")]
)
def test_numbers_with_decimal_points(text: str, expected: str) -> None:
    assert value(text, thousands=",", formats={"c": "number"}) == expected


def test_a_number_of_another_notation_does_not_pass_for_one_of_this() -> None:
    assert value("1.234", decimal=",", formats={"c": "number"}) == '"1.234"'


@pytest.mark.parametrize(
    ("text", "expected"),
    [("05.01.2024 14:30", "2024-01-05 14:30:00"), ("05.01.2024", "2024-01-05 00:00:00"), ("32.01.2024", "32.01.2024")],
)
def test_times_take_the_first_pattern_that_fits(text: str, expected: str) -> None:
    assert value(text, formats={"C": ["%d.%m.%Y %H:%M", "%d.%m.%Y"]}) == expected


def test_dates_stay_dates() -> None:
    assert value("5/1/24", formats={"c": "%d/%m/%y"}) == "2024-01-05"


def test_ids_and_booleans() -> None:
    assert value("17850.0", formats={"c": "id"}) == "17850"
    assert value("C17850.0", formats={"c": "id"}) == "C17850.0"
    assert value("17850", "DOUBLE", formats={"c": "id"}) == "17850"
    assert value("Ja", formats={"c": "boolean"}) == "true"
    assert value("N", formats={"c": "boolean"}) == "false"
    assert value("maybe", formats={"c": "boolean"}) == "maybe"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-07-01 10:00", "2024-07-01 08:00:00"),
        ("2024-01-01 10:00:00.5", "2024-01-01 09:00:00.5"),
        ("2024-07-01T10:00:00Z", "2024-07-01 10:00:00"),
        ("2024-07-01 10:00:00+05:30", "2024-07-01 04:30:00"),
        ("2024-07-01 10:00:00 +0530", "2024-07-01 04:30:00"),  # which DuckDB 2.0 would read as 10:00
        ("2024-07-01 10:00 -02:00", "2024-07-01 12:00:00"),
        ("2024-07-01T10:00Z", "2024-07-01 10:00:00"),
        ("2024-07-01 10:00:00 UTC", "2024-07-01 10:00:00"),
        ("2024-07-01", "2024-06-30 22:00:00"),
        ("first of July", "first of July"),
    ],
)
def test_times_become_utc(text: str, expected: str) -> None:
    sql = utc("t", "VARCHAR", "Europe/Berlin")
    assert duckdb.sql(f"select {sql} from (select {literal(text)} as t)").fetchall() == [(expected,)]


@pytest.mark.parametrize("sql_type", ["TIMESTAMP", "TIMESTAMP_NS", "TIMESTAMP_S"])
def test_native_times_become_utc(sql_type: str) -> None:
    sql = utc("t", sql_type, "Europe/Berlin")
    rows = duckdb.sql(f"select cast({sql} as varchar) from (select cast('2024-07-01 10:00' as {sql_type}) as t)")
    assert rows.fetchall() == [("2024-07-01 08:00:00",)]


def test_times_with_a_zone_of_their_own_keep_their_instant() -> None:
    sql = utc("t", "TIMESTAMP WITH TIME ZONE", "Europe/Berlin")
    rows = duckdb.sql(f"select cast({sql} as varchar) from (select timestamptz '2024-07-01 10:00:00+03' as t)")
    assert rows.fetchall() == [("2024-07-01 07:00:00",)]


def test_utc_text_is_left_alone_unless_it_has_an_offset() -> None:
    sql = utc("t", "VARCHAR", "UTC")
    rows = duckdb.sql(f"select {sql} from (values ('2024-07-01 10:00'), ('2024-07-01 10:00-02')) as v(t)").fetchall()
    assert rows == [("2024-07-01 10:00",), ("2024-07-01 12:00:00",)]
