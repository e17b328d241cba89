"""The check stage: what is accepted, what waits in quarantine and why, which version counts, what stops a run."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from marginwise.contract.loader import contracts
from marginwise.engine.dbt import WarehouseProject
from marginwise.engine.duckdb import open_warehouse, write_declared
from marginwise.engine.stage_tables import table_grades
from marginwise.settings import Settings
from tests.warehouse.harness import build, land_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import duckdb

CHECK = "tag:check"
PAID = {"ordered_at": "2026-01-05 10:00:00", "status": "paid", "currency": "EUR"}
CUSTOMER = {"customer_id": "c", "created_at": "2026-01-01"}
LINE = {"line_number": 1, "product_id": "mug", "quantity": 1, "unit_price": "9.90"}


def order(order_id: str, **changed: Any) -> dict[str, Any]:
    return {"order_id": order_id, **PAID, **changed}


def line(order_id: str, **changed: Any) -> dict[str, Any]:
    return {"order_id": order_id, **LINE, **changed}


DIRTY: dict[str, Sequence[dict[str, Any]]] = {
    "orders": [
        order("good"),
        order("offset", ordered_at="2026-01-05T00:30:00+02:00"),
        order("unsure", is_test="perhaps"),
        order("when", ordered_at="05.01.2026"),
        order("never", ordered_at=None),
        order("early", ordered_at="1989-12-31 23:59:59"),
        order("late", ordered_at="2030-01-03 00:00:00"),
        order("ahead", ordered_at="2030-01-02 23:59:59"),
        order("status", status="payed"),
        order("money", currency="eur", discount_amount="-1"),
        order("nobody", customer_id="c9"),
        {**order("x"), "order_id": ""},
    ],
    "order_items": [
        line("good"),
        line("good", line_number=2, quantity="1.5", unit_price="1.23456"),
        line("good", line_number=3, quantity=-1),
        line("good", line_number=4, unit_price="9,90"),
        line("good", line_number="5.5"),
        line("status"),
        line("absent"),
        line("good", line_number=6, product_id="cup"),
    ],
    "refunds": [
        {"refund_id": "r1", "refunded_at": "2026-02-01", "amount": "3", "order_id": "good", "kind": "gift"},
        {"refund_id": "r2", "refunded_at": "2026-02-01", "amount": "3"},
    ],
    "customers": [{"customer_id": "c1", "created_at": "2026-01-01", "birth_date": "1899-05-05", "email": "x@y.org"}],
    "products": [{"product_id": "mug", "name": "Mug", "launched_at": "2031-01-01"}],
    "payments": [
        {"order_id": "good", "payment_number": number, "method": "card", "amount": "3", "paid_at": paid_at}
        for number, paid_at in enumerate(("2026-01-06", "294247-01-01", "infinity", "0044-03-15 (BC)"))
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def dirty() -> Iterator[duckdb.DuckDBPyConnection]:
    con = build(DIRTY, select=CHECK)
    yield con
    con.close()


def quarantined(con: duckdb.DuckDBPyConnection, table: str) -> set[tuple[str, ...]]:
    return set(
        con.execute(
            "select row_number, rule, column_name, value from quarantine.quarantined_rows where table_name = ?", [table]
        ).fetchall()
    )


def staged(con: duckdb.DuckDBPyConnection, table: str, column: str) -> list[Any]:
    return [row[0] for row in con.execute(f"select {column} from staging.stg_{table} order by 1").fetchall()]


def grade(con: duckdb.DuckDBPyConnection, table: str) -> tuple[Any, ...]:
    return con.execute(
        "select rows_in, rows_loaded, rows_superseded, rows_quarantined, rows_warned, grade from ops.table_grades"
        " where table_name = ?",
        [table],
    ).fetchall()[0]


def counted(con: duckdb.DuckDBPyConnection, table: str, rule: str, column: str | None = None) -> tuple[str, int]:
    return con.execute(
        "select severity, row_count from ops.checks"
        " where table_name = ? and rule = ? and column_name is not distinct from ?",
        [table, rule, column],
    ).fetchall()[0]


def test_each_broken_rule_of_an_order_is_named_with_its_column_and_value(dirty: duckdb.DuckDBPyConnection) -> None:
    assert quarantined(dirty, "orders") == {
        (4, "type", "ordered_at", "05.01.2026"),
        (5, "required", "ordered_at", None),
        (6, "impossible_date", "ordered_at", "1989-12-31 23:59:59"),
        (7, "impossible_date", "ordered_at", "2030-01-03 00:00:00"),
        (9, "allowed", "status", "payed"),
        (10, "currency", "currency", "eur"),
        (10, "range", "discount_amount", "-1.0000"),
        (12, "required", "order_id", None),
    }
    assert staged(dirty, "orders", "order_id") == ["ahead", "good", "nobody", "offset", "unsure"]


def test_a_time_with_an_offset_becomes_utc(dirty: duckdb.DuckDBPyConnection) -> None:
    (found,) = dirty.execute("select ordered_at from staging.stg_orders where order_id = 'offset'").fetchall()
    assert found == (dt.datetime(2026, 1, 4, 22, 30),)  # noqa: DTZ001 - stored as naive UTC


def test_a_year_that_no_calendar_has_is_no_time(dirty: duckdb.DuckDBPyConnection) -> None:
    """Found wrong once: a payment in the year 294247, which only warns, broke off whoever read the newest day."""
    assert staged(dirty, "payments", "paid_at") == [dt.datetime(2026, 1, 6), None, None, None]  # noqa: DTZ001
    assert counted(dirty, "payments", "type", "paid_at") == ("warn", 3)
    assert {row["table_name"]: row["newest_at"] for row in table_grades(dirty)}["payments"] == dt.datetime(2026, 1, 6)  # noqa: DTZ001


def test_grades_are_told_in_the_order_of_the_contract(dirty: duckdb.DuckDBPyConnection) -> None:
    told = [row["table_name"] for row in table_grades(dirty)]
    assert len(told) > 3
    assert told == [name for name in contracts() if name in told]


def test_lines_are_held_to_type_sign_and_parent(dirty: duckdb.DuckDBPyConnection) -> None:
    assert quarantined(dirty, "order_items") == {
        (3, "negative_quantity", "quantity", "-1.0000"),
        (4, "type", "unit_price", "9,90"),
        (5, "type", "line_number", "5.5"),
        (6, "relationship", "order_id", "status"),
        (7, "relationship", "order_id", "absent"),
    }
    assert staged(dirty, "order_items", "unit_price") == [Decimal("1.2346"), Decimal("9.9000"), Decimal("9.9000")]


def test_reasons_say_what_was_found_and_what_is_accepted(dirty: duckdb.DuckDBPyConnection) -> None:
    reasons = dict(
        dirty.execute(
            "select rule, reason from quarantine.quarantined_rows where row_number in (3, 5, 6, 9) and"
            " table_name in ('orders', 'order_items') and column_name <> 'line_number'"
        ).fetchall()
    )
    assert reasons["allowed"] == "status is 'payed'; accepted are pending, paid, shipped, delivered, cancelled, void."
    assert reasons["required"] == "ordered_at is empty; a value is required."
    assert reasons["impossible_date"].endswith("accepted is 1990-01-01 up to the day after the file was landed.")
    assert reasons["negative_quantity"].endswith("accepted is at least 0; what comes back belongs in refunds.")
    assert reasons["relationship"].endswith("no accepted row of orders has it; the row waits until that row arrives.")


def test_warnings_are_counted_and_the_row_is_loaded(dirty: duckdb.DuckDBPyConnection) -> None:
    assert counted(dirty, "refunds", "allowed", "kind") == ("warn", 1)
    assert counted(dirty, "orders", "type", "is_test") == ("warn", 1)
    assert counted(dirty, "orders", "relationship", "customer_id") == ("warn", 1)
    assert counted(dirty, "order_items", "relationship", "product_id") == ("warn", 1)
    assert counted(dirty, "customers", "impossible_date", "birth_date") == ("warn", 1)
    assert staged(dirty, "refunds", "refund_id") == ["r1", "r2"]
    assert dirty.execute("select is_test from staging.stg_orders where order_id = 'unsure'").fetchall() == [(False,)]
    assert counted(dirty, "products", "impossible_date", "launched_at") == ("warn", 0), "a launch may lie ahead"


def test_rules_nobody_breaks_are_reported_with_zero(dirty: duckdb.DuckDBPyConnection) -> None:
    assert counted(dirty, "weather", "range", "temperature_celsius") == ("quarantine", 0)
    assert counted(dirty, "orders", "key", "order_id") == ("quarantine", 0)
    assert counted(dirty, "orders", "required_table") == ("stop", 0)
    assert counted(dirty, "orders", "missing_rate") == ("stop", 0)


def test_grades_follow_the_share_of_bad_rows_and_the_totals_close(dirty: duckdb.DuckDBPyConnection) -> None:
    assert grade(dirty, "orders") == (12, 5, 0, 7, 2, "D")
    assert grade(dirty, "order_items") == (8, 3, 0, 5, 1, "D")
    assert grade(dirty, "products") == (1, 1, 0, 0, 0, "A")
    assert grade(dirty, "sessions") == (0, 0, 0, 0, 0, None)
    assert dirty.execute("from ops.table_grades where rows_in <> rows_loaded + rows_quarantined").fetchall() == []


EARLY: dict[str, Sequence[dict[str, Any]]] = {
    "orders": [order("a", ordered_at="2026-03-10", customer_id="c", partner_id="p")],
    "order_items": [line("a"), line("b")],
    "marketing_spend": [{"spend_date": "2026-03-01", "channel": "Paid Search", "spend_amount": 5, "currency": "EUR"}],
}


def test_orphans_wait_for_a_parent_and_tables_are_held_against_the_newest_order(tmp_path: Path) -> None:
    early = build(EARLY, select=CHECK, directory=tmp_path)
    assert quarantined(early, "order_items") == {(2, "relationship", "order_id", "b")}
    assert grade(early, "orders") == (1, 1, 0, 0, 0, "A"), "customers and partners are absent as a whole: no orphans"
    assert counted(early, "marketing_spend", "freshness") == ("warn", 1)
    assert counted(early, "orders", "freshness") == ("warn", 0)
    assert early.execute("select campaign from staging.stg_marketing_spend").fetchall() == [("(none)",)]
    early.close()
    late = build({**EARLY, "orders": [*EARLY["orders"], order("b")]}, select=CHECK, directory=tmp_path)
    assert quarantined(late, "order_items") == set()
    assert staged(late, "order_items", "order_id") == ["a", "b"]
    late.close()


def test_freshness_is_measured_from_the_day_all_numbers_speak_of() -> None:
    tables = {
        "orders": [order("a", ordered_at="2026-03-10 23:30:00"), order("t", ordered_at="2026-06-01", is_test=True)],
        "order_items": [line("a")],
        "marketing_spend": [
            {"spend_date": "2026-03-01", "channel": "Paid Search", "spend_amount": 5, "currency": "EUR"}
        ],
    }
    con = build(tables, select=f"{CHECK} +int_periods_set", vars={"time_zone": "Asia/Tokyo"})
    known = con.execute("select as_of_date from intermediate.int_periods_set").fetchall()
    assert known == [(dt.date(2026, 3, 10),)]
    told = con.execute("select message from ops.checks where rule = 'freshness' and table_name = 'marketing_spend'")
    assert "9 days before 2026-03-10" in told.fetchall()[0][0]


VERSIONS: dict[str, list[dict[str, Any]]] = {
    "orders": [
        # the newest updated_at wins, whatever its file says
        order("updated", status="pending", updated_at="2026-01-05", _file_hash="f2", _file_date=dt.date(2026, 2, 1)),
        order("updated", status="shipped", updated_at="2026-01-09", _file_hash="f1", _file_date=dt.date(2026, 1, 1)),
        # without updated_at the newest file wins
        order("dated", status="pending", _file_hash="f1", _file_date=dt.date(2026, 1, 1)),
        order("dated", status="delivered", _file_hash="f2", _file_date=dt.date(2026, 2, 1)),
        # the same row in two files of one day: superseded, no violation
        order("again", _file_hash="f1"),
        order("again", _file_hash="f2"),
        # the same row twice in one file
        order("twice", _file_hash="f3"),
        order("twice", _file_hash="f3"),
        # one version, two contents
        order("torn", status="paid", _file_hash="f4"),
        order("torn", status="void", _file_hash="f5"),
        # a broken row never wins
        order("broken", status="paid", updated_at="2026-01-05", _file_hash="f1"),
        order("broken", status="?", updated_at="2026-01-09", _file_hash="f2"),
        # a broken row is mended by a row of its key out of a newer file, or one of no date; never out of its own file
        order("mended", status="?", _file_hash="f1", _file_date=dt.date(2026, 1, 1)),
        order("mended", status="paid", _file_hash="f2", _file_date=dt.date(2026, 2, 1)),
        order("undated", status="?", _file_hash="f1"),
        order("undated", status="paid", _file_hash="f2"),
        order("same file", status="?", _file_hash="f1"),
        order("same file", status="paid", _file_hash="f1"),
    ],
    "order_items": [
        line(name)
        for name in ("updated", "dated", "again", "twice", "torn", "broken", "mended", "undated", "same file")
    ],
    "customers": [
        {**CUSTOMER, "city": "Bonn", "updated_at": "2026-01-01", "_file_hash": "f1"},
        {**CUSTOMER, "city": "Köln", "updated_at": "2026-03-01", "_file_hash": "f2"},
        {**CUSTOMER, "city": "Köln", "updated_at": "2026-03-01", "_file_hash": "f3"},
    ],
    # what nothing tells apart: a mapping that makes one source row twice
    "weather": [
        {"city": "Bonn", "date": "2026-01-01", "temperature_celsius": 1, "precipitation_mm": 0, "_row_number": 7},
        {"city": "Bonn", "date": "2026-01-01", "temperature_celsius": 1, "precipitation_mm": 0, "_row_number": 7},
        {"city": "Köln", "date": "2026-01-01", "temperature_celsius": 1, "precipitation_mm": 0, "_row_number": 7},
    ],
}  # fmt: skip
NUMBERED = {table: [{"_row_number": n, **row} for n, row in enumerate(rows, 1)] for table, rows in VERSIONS.items()}


@pytest.fixture(scope="module")
def versions() -> Iterator[duckdb.DuckDBPyConnection]:
    con = build(NUMBERED, select=CHECK)
    yield con
    con.close()


def test_the_newest_version_counts_and_older_ones_are_superseded(versions: duckdb.DuckDBPyConnection) -> None:
    status = dict(versions.execute("select order_id, status from staging.stg_orders").fetchall())
    assert status.pop("torn") in {"paid", "void"}
    mended = dict.fromkeys(("again", "twice", "broken", "mended", "undated", "same file"), "paid")
    assert status == {"updated": "shipped", "dated": "delivered", **mended}
    assert grade(versions, "orders") == (18, 14, 5, 4, 0, "D")


def test_a_broken_row_leaves_quarantine_when_a_later_file_mends_it(versions: duckdb.DuckDBPyConnection) -> None:
    rows = versions.execute("select row_number from quarantine.quarantined_rows where rule = 'allowed'").fetchall()
    bad = {number for number, row in enumerate(VERSIONS["orders"], 1) if row["status"] == "?"}
    mended = {number for number, row in enumerate(VERSIONS["orders"], 1) if row["order_id"] in ("mended", "undated")}
    assert {number for (number,) in rows} == bad - mended


def test_duplicates_go_to_quarantine_with_their_key(versions: duckdb.DuckDBPyConnection) -> None:
    found = {(rule, column, value) for _, rule, column, value in quarantined(versions, "orders")}
    assert found == {("key", "order_id", "twice"), ("key", "order_id", "torn"), ("allowed", "status", "?")}
    assert counted(versions, "orders", "key", "order_id") == ("quarantine", 2)


def test_versioned_tables_keep_every_version_once(versions: duckdb.DuckDBPyConnection) -> None:
    assert staged(versions, "customers", "city") == ["Bonn", "Köln"]
    assert grade(versions, "customers") == (3, 3, 1, 0, 0, "A")


def test_rows_a_mapping_made_twice_are_all_duplicates(versions: duckdb.DuckDBPyConnection) -> None:
    assert staged(versions, "weather", "city") == ["Köln"]
    assert grade(versions, "weather") == (3, 1, 0, 2, 0, "D")
    assert quarantined(versions, "weather") == {(7, "key", "city", "Bonn, 2026-01-01")}


def test_the_order_of_arrival_changes_nothing(versions: duckdb.DuckDBPyConnection) -> None:
    shuffled = build({table: rows[::-1] for table, rows in NUMBERED.items()}, select=CHECK)
    for relation in ("staging.stg_orders", "staging.stg_customers", "quarantine.quarantined_rows", "ops.table_grades"):
        assert (
            shuffled.execute(f"from {relation} order by all").fetchall()
            == versions.execute(f"from {relation} order by all").fetchall()
        )
    shuffled.close()


def test_missing_exchange_rates_and_empty_tables_stop_the_run() -> None:
    foreign = [order(f"{day}", ordered_at=f"2026-01-{day:02} 23:30:00", currency="USD") for day in range(1, 14)]
    con = build(
        {
            "orders": [*foreign, order("pounds", currency="GBP")],
            "exchange_rates": [
                {"date": "2026-01-02", "currency": "USD", "rate": "0.9"},
                {"date": "2026-01-05", "currency": "GBP", "rate": "1.1"},
            ],
        },
        select="+checks",
    )
    stops = dict(
        con.execute("select rule, message from ops.checks where severity = 'stop' and row_count > 0").fetchall()
    )
    assert stops["required_table"] == "order_items is required and has no rows: map a file to it."
    days = ", ".join(f"2026-01-{day:02}" for day in (1, *range(3, 12)))
    assert stops["missing_rate"] == (
        f"orders: no exchange rate to EUR for USD on {days} and 2 more days. Add them to exchange_rates."
    )
    assert counted(con, "orders", "missing_rate") == ("stop", 12)
    con.close()


def test_costs_and_refunds_without_an_order_ask_for_a_rate_too() -> None:
    # found wrong once: both passed the check, and the build stopped without a word of which currency and which day
    dollars = {"currency": "USD"}
    con = build(
        {
            "orders": [order("known", **dollars), order("priced", ordered_at="2026-01-07 10:00:00", **dollars)],
            "order_items": [line("known"), line("priced")],
            "product_costs": [
                {"product_id": "mug", "valid_from": "2026-01-06", "unit_cost": "3", "currency": "GBP"},
                {"product_id": "mug", "valid_from": "2026-01-08", "unit_cost": "3", "currency": "SEK"},
            ],
            "refunds": [
                {"refund_id": "of a line", "order_id": "known", "refunded_at": "2026-01-08 10:00:00", "amount": "1"},
                {"refund_id": "of none", "refunded_at": "2026-01-09 10:00:00", "amount": "1"},
            ],
            "exchange_rates": [{"date": f"2026-01-{day:02}", "currency": "USD", "rate": "0.9"} for day in (5, 7)],
        },
        select="+checks",
    )
    stops = con.execute(
        "select table_name, message from ops.checks where severity = 'stop' and row_count > 0"
    ).fetchall()
    assert dict(stops) == {
        "product_costs": "product_costs: no exchange rate to EUR for GBP on 2026-01-07. Add them to exchange_rates.",
        "refunds": "refunds: no exchange rate to EUR for USD on 2026-01-09. Add them to exchange_rates.",
    }
    con.close()


def test_typed_and_own_columns_pass_through(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    con = open_warehouse(path)
    land_rows(con, {"orders": [order("a")], "order_items": [line("a", x_note="gift")]})
    write_declared(con, Settings())
    con.execute(
        "create or replace table landed.order_items as select * replace (cast(line_number as double) as line_number,"
        " cast(quantity as integer) as quantity, cast(unit_price as double) as unit_price,"
        " timestamptz '2026-01-05 12:00:00+02' as updated_at) from landed.order_items"
    )
    for changed in ("'nan' as unit_price, 2 as line_number, 2 as _row_number", "2.5 as line_number, 3 as _row_number"):
        con.execute(
            f"insert into landed.order_items select * replace ({changed}) from landed.order_items where _row_number = 1"
        )
    for file_hash in ("h", "old"):
        con.execute(
            "insert into raw.unreadable_rows values ('test', 'test__lines', ?, 9, 'too many', '1;2')", [file_hash]
        )
    con.execute("insert into ops.table_feeds values ('order_items', 'test__lines'), ('orders', 'test__lines')")
    con.execute(
        "insert into ops.files (file_hash, source_name, raw_table, file_name, is_active) values"
        " ('h', 'test', 'test__lines', 'lines.csv', true), ('old', 'test', 'test__lines', 'lines.csv', false)"
    )
    con.execute(
        "insert into ops.declared_formats values ('test__order_items', 'order_items', 'unit_price',"
        " 'accepted in \"Preis\" is a number such as 1.234,56'), ('other', 'order_items', 'line_number', 'nothing')"
    )
    con.close()
    WarehouseProject(path, {}, threads=1).build(CHECK)
    con = open_warehouse(path)
    assert con.execute(
        "select reason from quarantine.quarantined_rows where rule = 'type' order by column_name desc"
    ).fetchall() == [
        ("unit_price is 'nan'; accepted in \"Preis\" is a number such as 1.234,56.",),  # as that mapping declares it
        ("line_number is '2.5'; accepted is a whole number.",),
    ]
    assert quarantined(con, "order_items") == {
        (2, "type", "unit_price", "nan"), (3, "type", "line_number", "2.5"), (9, "unreadable", None, None)
    }  # fmt: skip
    types = {name: kind for name, kind, *_ in con.execute("describe staging.stg_order_items").fetchall()}
    assert (types["line_number"], types["unit_price"], types["updated_at"]) == ("BIGINT", "DECIMAL(18,4)", "TIMESTAMP")
    assert con.execute("select x_note, updated_at from staging.stg_order_items").fetchall() == [
        ("gift", dt.datetime(2026, 1, 5, 10))  # noqa: DTZ001 - stored as naive UTC
    ]
    assert con.execute(
        "select table_name, file_name, row_number, reason from quarantine.quarantined_rows where rule = 'unreadable'"
        " order by all"
    ).fetchall() == [
        (table, "lines.csv", 9, "The line cannot be read: too many") for table in ("order_items", "orders")
    ]
    assert grade(con, "order_items") == (4, 1, 0, 3, 0, "D")  # the line counts in every table that its file feeds
    assert grade(con, "orders") == (2, 1, 0, 1, 0, "D")
    assert counted(con, "orders", "unreadable") == ("quarantine", 1)
    con.close()
