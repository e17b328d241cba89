"""The packs on the real data: nothing lost, nothing invented, the published figures come out."""

from __future__ import annotations

import datetime as dt
import tarfile
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from marginwise.connectors.mapping import load_mapping
from marginwise.engine.duckdb import open_warehouse
from marginwise.engine.landing import LandingSource, LandReport, land
from tests.beginnings import RETAIL, Beginnings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOON = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)


def landed(pack: str, data_dir: Path) -> tuple[duckdb.DuckDBPyConnection, LandReport]:
    con = duckdb.connect()
    return con, land(con, {"real": LandingSource(load_mapping(pack), data_dir)}, landed_at=NOON)


def rows(con: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    return con.execute(sql).fetchall()


@pytest.fixture(scope="module")
def online_retail(shared_data: Path, beginnings: Beginnings) -> Iterator[duckdb.DuckDBPyConnection]:
    assert (shared_data / "uci_online_retail").is_dir()
    folder, outcomes = beginnings.shared(RETAIL)
    assert [outcome.code for outcome in outcomes] == [0, 0], outcomes
    con = open_warehouse(folder / "retail" / ".marginwise" / "warehouse.duckdb", read_only=True)
    assert rows(con, "select row_count, unreadable_count from ops.files") == [(541_909, 0)]
    assert rows(con, "select * from ops.landing_checks") == []
    yield con
    con.close()


def test_online_retail_is_all_there(online_retail: duckdb.DuckDBPyConnection) -> None:
    assert rows(online_retail, 'select count(*), count(distinct "InvoiceNo") from raw.online_retail__lines') == [
        (541_909, 25_900)
    ]
    value = "quantity * cast(unit_price as decimal(18, 4))"
    sold = rows(online_retail, f"select count(*), sum({value}) from landed.order_items")[0]
    invoice = "split_part(refund_id, '-', 1)"
    back = rows(online_retail, f"select count(*), sum(amount), count(distinct {invoice}) from landed.refunds")[0]
    assert sold[0] + back[0] == 541_909
    assert sold[1] - back[1] == Decimal("9747747.934")
    assert back == (9_288, Decimal("896812.4900"), 3_836)
    for table, key, count in (
        ("orders", "order_id", 25_900 - 3_836),
        ("order_items", "(order_id, line_number)", 532_621),
        ("refunds", "refund_id", 9_288),
        ("customers", "customer_id", 4_372),
        ("products", "product_id", 4_070),
    ):
        assert rows(online_retail, f"select count(*), count(distinct {key}) from landed.{table}") == [(count, count)]


def test_online_retail_takes_back_what_was_sold_at_no_stock(online_retail: duckdb.DuckDBPyConnection) -> None:
    facts = "min(quantity), max(restocked_quantity), count(order_id), any_value(kind), count(customer_id)"
    assert rows(online_retail, f"select {facts} from landed.refunds") == [(1, 0, 0, "cancellation", 8_905)]


def test_online_retail_times_are_utc(online_retail: duckdb.DuckDBPyConnection) -> None:
    local, utc = rows(
        online_retail,
        """
        select r."InvoiceDate", o.ordered_at from landed.orders as o
        join raw.online_retail__lines as r on r._file_hash = o._file_hash and r._row_number = o._row_number
        where month(r."InvoiceDate") = 7 limit 1""",
    )[0]
    assert local - utc == dt.timedelta(hours=1)


def test_online_retail_knows_what_is_no_product(online_retail: duckdb.DuckDBPyConnection) -> None:
    codes = "list(product_id order by product_id)"
    kinds = rows(online_retail, f"select kind, {codes} from landed.products where kind <> 'good' group by kind")
    vouchers = [f"gift_0001_{value}" for value in (10, 20, 30, 40, 50)]
    assert dict(kinds) == {
        "shipping": ["C2", "DOT", "POST"],
        "bad_debt": ["B"],
        "fee": ["AMAZONFEE", "BANK CHARGES", "CRUK"],
        "adjustment": ["D", "M", "PADS", "S", *vouchers, "m"],
    }
    latest = rows(online_retail, "select name from landed.products where product_id = '85123A'")
    assert latest == [("CREAM HANGING HEART T-LIGHT HOLDER",)]


def test_online_retail_by_day_equals_the_single_file(
    shared_data: Path, online_retail: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    with tarfile.open(shared_data / "uci_online_retail" / "by_day_csv.tar.gz") as archive:
        days = sorted(archive.getnames())[:12]
        for day in days:
            archive.extract(day, tmp_path)
    con, report = landed("online_retail", tmp_path)
    assert report.files_new == 12
    until = "2010-12-15"
    for table, columns in (
        ("orders", "order_id, cast(ordered_at as timestamp), customer_id, ship_country"),
        (
            "order_items",
            "order_id, line_number, product_id, cast(quantity as bigint), cast(unit_price as decimal(18, 4))",
        ),
        ("refunds", "refund_id, cast(refunded_at as timestamp), amount, customer_id, product_id, quantity"),
    ):
        number = {"orders": "order_id", "order_items": "order_id", "refunds": "split_part(refund_id, '-', 1)"}[table]
        known = f'select "InvoiceNo" from raw.online_retail__lines where "InvoiceDate" < date \'{until}\''
        whole = f"select {columns} from landed.{table} where {number} in ({known})"
        assert rows(con, f"select {columns} from landed.{table} order by all") == rows(
            online_retail, f"{whole} order by all"
        )


@pytest.mark.parametrize(
    ("pack", "folder", "files", "has_sessions"),
    [
        ("maven_fuzzy_factory", ".", 6, True),
        ("maven_fuzzy_factory", "raw", 6, True),
        ("maven_fuzzy_factory_headerless", "raw/variant_noheader_singlequote", 4, False),
    ],
)
def test_maven_fuzzy_factory(shared_data: Path, pack: str, folder: str, files: int, has_sessions: bool) -> None:
    con, report = landed(pack, shared_data / "maven_fuzzy_factory" / folder)
    assert (report.files_new, report.unreadable, report.checks) == (files, 0, [])
    sums = "sum(cast(unit_price as decimal(18, 2))), sum(cast(unit_cost as decimal(18, 2)))"
    assert rows(con, f"select count(*), {sums} from landed.order_items") == [
        (40_025, Decimal("1938509.75"), Decimal("722370.25"))
    ]
    facts = "count(*), count(line_number), count(customer_id), sum(cast(amount as decimal(18, 2)))"
    assert rows(con, f"select {facts} from landed.refunds") == [(1_731, 1_731, 1_731, Decimal("85338.69"))]
    assert rows(con, "select count(*), count(distinct customer_id) from landed.orders") == [(32_313, 31_696)]
    assert rows(con, "select count(*) from landed.customers") == [(31_696,)]
    second = "count(*) filter (where line_number = 2)"
    assert rows(con, f"select max(line_number), {second} from landed.order_items") == [(2, 40_025 - 32_313)]
    if has_sessions:
        channels = rows(
            con, "select source, medium, campaign, is_paid, count(*) from landed.sessions group by all order by all"
        )
        assert channels == [
            ("(direct)", "(none)", None, "false", 65),
            ("bsearch", "cpc", "brand", "true", 9),
            ("bsearch", "organic", None, "false", 10),
            ("gsearch", "cpc", "brand", "true", 56),
            ("gsearch", "cpc", "nonbrand", "true", 4_804),
            ("gsearch", "organic", None, "false", 56),
        ]
        assert rows(con, "select count(*) from landed.orders join landed.sessions using (session_id)") == [(149,)]
        strangers = "select count(customer_id) from landed.sessions anti join landed.orders using (customer_id)"
        assert rows(con, strangers) == [(0,)]
        events = dict(rows(con, "select event_type, count(visitor_id) from landed.events group by all"))
        assert events == {"view": 705, "add_to_cart": 303, "checkout": 368, "purchase": 79, "page": 3_545}


def test_olist(shared_data: Path) -> None:
    con, report = landed("olist", shared_data / "olist")
    assert (report.files_new, report.unreadable, report.checks) == (9, 0, [])
    raw = {
        table: rows(con, f"select count(*) from raw.real__{table}")[0][0]
        for table in ("orders", "items", "payments", "reviews", "products", "sellers")
    }
    assert raw["products"] == 32_951
    assert raw["sellers"] == 3_095
    of_table = {"order_items": "items", "partners": "sellers"}
    for table in ("orders", "order_items", "payments", "reviews", "products", "partners"):
        source = of_table.get(table, table)
        assert rows(con, f"select count(*) from landed.{table}") == [(raw[source],)]
    persons = rows(con, "select count(distinct customer_unique_id) from raw.real__customers")
    assert rows(con, "select count(distinct customer_id) from landed.orders") == persons
    assert rows(con, "select count(*) from landed.customers where created_at is not null") == persons
    freight = "sum(cast({} as decimal(18, 4)))"
    assert rows(con, f"select {freight.format('shipping_charged_amount')} from landed.orders") == rows(
        con, f"select {freight.format('freight_value')} from raw.real__items"
    )
    assert rows(con, "select count(*), count(distinct review_id) from landed.reviews") == [
        (raw["reviews"], raw["reviews"])
    ]
    statuses = {row[0] for row in rows(con, "select distinct status from landed.orders")}
    assert statuses == {"pending", "paid", "shipped", "delivered", "cancelled"}
    assert rows(con, "select count(*) from landed.products where category is null") == [(610,)]
    assert rows(
        con, "select count(*) from landed.order_items as i anti join landed.partners as p using (partner_id)"
    ) == [(0,)]
    won = rows(con, "select count(distinct partner_id) from landed.partners where joined_at is not null")[0][0]
    assert 0 < won <= 842
