"""Landing keeps every row with its file and number, changes nothing twice, and refuses only the file that is wrong."""

from __future__ import annotations

import datetime as dt
import gzip
import multiprocessing
import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from marginwise.connectors.mapping import load_mapping
from marginwise.contract.loader import contracts
from marginwise.engine.dbt import WarehouseProject, warehouse_variables
from marginwise.engine.duckdb import write_declared
from marginwise.engine.landing import LandingSource, LandReport, land
from marginwise.errors import BadMapping, MissingFile, UnknownColumn, UnreadableFile
from marginwise.settings import Settings
from tests.connectors.test_mapping import FLAT

DAY = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
HEADER = "No;Day;Item;Pieces;Price\n"
TYPED = """
[source]
name = "shop"
currency = "EUR"
time_zone = "Europe/Berlin"

[files.lines]
path = "sales*.parquet"

[[tables]]
table = "order_items"
from = "lines"
[tables.columns]
order_id = '"No"'
line_number = "1"
product_id = '"Item"'
quantity = '"Pieces"'
unit_price = "1"
"""


class Shop:
    """A project folder of one flat-file source and its warehouse."""

    def __init__(self, folder: Path, mapping: str = FLAT, name: str = "shop") -> None:
        self.data = folder / "data"
        self.data.mkdir(exist_ok=True)
        self.mapping_file = folder / f"{name}.map.toml"
        self.mapping_file.write_text(mapping)
        self.name = name
        self.con = duckdb.connect(str(folder / "warehouse.duckdb"))

    def put(self, name: str, *lines: str, header: str = HEADER) -> Path:
        path = self.data / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(header + "".join(f"{line}\n" for line in lines))
        return path

    def land(self, day: int = 0) -> LandReport:
        source = LandingSource(load_mapping(self.mapping_file), self.data)
        return land(self.con, {self.name: source}, landed_at=DAY + dt.timedelta(days=day))

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.con.execute(sql).fetchall()

    def lines(self) -> list[tuple[Any, ...]]:
        return self.rows(
            "select order_id, line_number, product_id, quantity, unit_price from landed.order_items order by all"
        )

    def state(self) -> list[list[tuple[Any, ...]]]:
        return [
            self.rows(f"select * from {table} order by all")
            for table in ("raw.shop__lines", "ops.files", "ops.file_paths", "raw.unreadable_rows", "ops.landing_checks",
                          "landed.orders", "landed.order_items")
        ]  # fmt: skip


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def with_load(load: str, more: str = "") -> str:
    return FLAT.replace('path = "sales*.csv"', f'path = "sales*.csv"\nload = "{load}"\n{more}')


def test_rows_land_unchanged_with_file_and_number(shop: Shop) -> None:
    shop.put("sales.csv", "1;2024-07-01 10:00; A ;2;3.50", "1;2024-07-01 10:00;B;1;")
    report = shop.land()
    assert (report.files_new, report.rows, report.unreadable) == (1, 2, 0)
    raw = shop.rows('select "Item", "Price", _row_number from raw.shop__lines order by _row_number')
    assert raw == [(" A ", "3.50", 1), ("B", "", 2)]
    assert shop.lines() == [("1", 1, "A", "2", "3.50"), ("1", 2, "B", "1", None)]
    order = shop.rows(
        "select store_id, currency, ordered_at, _source, _file_hash, _row_number, _raw_table from landed.orders"
    )
    file_hash = report.landed[0].file_hash
    assert order == [("main", "EUR", "2024-07-01 08:00:00", "shop", file_hash, 1, "shop__lines")]
    file = shop.rows(
        "select file_hash, source_name, file_name, file_date, row_count, is_active, landed_at from ops.files"
    )
    assert file == [(file_hash, "shop", "sales.csv", None, 2, True, DAY.replace(tzinfo=None))]


def test_every_contract_table_has_a_view(shop: Shop) -> None:
    shop.put("sales.csv", "1;2024-07-01;A;2;3.50")
    shop.land()
    for table, contract in contracts().items():
        names = [row[0] for row in shop.rows(f"describe landed.{table}")]
        assert tuple(names[: len(contract.columns)]) == contract.column_names
        assert shop.rows(f"select count(*) from landed.{table}")[0][0] == (
            1 if table in ("orders", "order_items") else 0
        )


def test_landing_twice_changes_nothing(shop: Shop) -> None:
    shop.put("sales-2024-07-01.csv", "1;2024-07-01;A;2;3.50", "broken")
    shop.put("sales-2024-07-02.csv", "2;2024-07-02;B;1;1")
    shop.land()
    before = shop.state()
    report = shop.land(day=1)
    assert (report.files_new, report.files_unchanged, report.rows) == (0, 2, 0)
    assert shop.state() == before


def test_a_view_is_laid_again_only_where_what_it_reads_has_changed(tmp_path: Path) -> None:
    def laid() -> dict[str, int]:
        return dict(shop.rows("select view_name, view_oid from duckdb_views() where schema_name = 'landed'"))

    shop = Shop(tmp_path, TYPED)
    written = [{"No": "1", "Item": "A", "Pieces": 2}, {"No": "2", "Item": "B", "Pieces": 1}]
    pq.write_table(pa.Table.from_pylist(written[:1]), shop.data / "sales-1.parquet")
    shop.land()
    first = laid()
    assert {"order_items", "refunds"} <= first.keys()
    pq.write_table(pa.Table.from_pylist(written[1:]), shop.data / "sales-2.parquet")
    shop.land(day=1)
    assert laid() == first
    assert shop.rows("select order_id, product_id, quantity from landed.order_items order by all") == [
        ("1", "A", 2), ("2", "B", 1),
    ]  # fmt: skip
    wider = [{"No": "3", "Item": "C", "Pieces": 2.5}]
    pq.write_table(pa.Table.from_pylist(wider), shop.data / "sales-3.parquet")
    shop.land(day=2)
    assert {name for name, number in laid().items() if number != first[name]} == {"order_items"}
    assert shop.rows("select sum(quantity) from landed.order_items") == [(5.5,)]


def test_arrival_order_does_not_matter(tmp_path: Path) -> None:
    states = []
    for order in ((1, 2, 3), (3, 1, 2)):
        folder = tmp_path / "".join(map(str, order))
        folder.mkdir()
        shop = Shop(folder)
        for day in order:
            shop.put(f"sales-2024-07-0{day}.csv", f"{day};2024-07-0{day};A;2;3.50", f"9;2024-07-0{day};C;1;1")
            shop.land()
        states.append([shop.rows(f"select * from landed.{table} order by all") for table in ("orders", "order_items")])
    assert states[0] == states[1]


def test_broken_rows_are_kept_with_their_number(shop: Shop) -> None:
    shop.put("sales.csv", "1;2024-07-01;A;2;3.50", "1;2024-07-01;B", "1;2024-07-01;C;1;1")
    report = shop.land()
    assert report.unreadable == 1
    assert shop.rows("select row_number, reason, line_text from raw.unreadable_rows") == [
        (2, "3 fields instead of 5", "1;2024-07-01;B")
    ]
    assert [row[1] for row in shop.lines()] == [1, 3]


def test_append_takes_the_new_content_of_a_path(shop: Shop) -> None:
    shop.put("sales.csv", "1;2024-07-01;A;2;3.50")
    shop.put("sales2.csv", "5;2024-07-01;A;2;3.50")
    shop.land()
    shop.put("sales.csv", "1;2024-07-01;A;2;4.00")
    report = shop.land(day=1)
    assert report.files_inactive == 1
    assert shop.lines() == [("1", 1, "A", "2", "4.00"), ("5", 1, "A", "2", "3.50")]
    shop.put("sales.csv", "1;2024-07-01;A;2;3.50")  # set back
    shop.land(day=2)
    assert shop.lines()[0][-1] == "3.50"


@pytest.mark.parametrize("order", [1, -1])
def test_a_content_under_two_names_is_told_by_one_whichever_came_first(shop: Shop, order: int) -> None:
    for name in ("sales-2024-01-05.csv", "sales-2024-03-01.csv")[::order]:
        shop.put(name, "1;2024-07-01 10:00;A;2;3.50")
        shop.land()
    assert shop.rows("select file_name, file_date from ops.files") == [("sales-2024-01-05.csv", dt.date(2024, 1, 5))]


def test_a_file_that_disappears_keeps_its_rows_and_a_renamed_one_is_the_same(shop: Shop) -> None:
    path = shop.put("sales-a.csv", "1;2024-07-01;A;2;3.50")
    shop.put("sales-b.csv", "2;2024-07-01;A;2;3.50")
    shop.land()
    path.rename(shop.data / "sales-c.csv")
    (shop.data / "sales-b.csv").unlink()
    assert shop.land(day=1).files_unchanged == 1
    assert len(shop.lines()) == 2
    shop.put("sales-c.csv", "1;2024-07-01;A;7;3.50")
    shop.land(day=2)
    assert [(row[0], row[3]) for row in shop.lines()] == [("1", "7"), ("2", "2")]


def test_the_same_content_twice_counts_once_until_both_paths_change(shop: Shop) -> None:
    shop.put("sales-a.csv", "1;2024-07-01;A;2;3.50")
    shop.put("sales-b.csv", "1;2024-07-01;A;2;3.50")
    report = shop.land()
    assert (report.files_new, report.files_unchanged) == (1, 1)
    shop.put("sales-b.csv", "2;2024-07-01;A;2;3.50")
    shop.land(day=1)
    assert [row[0] for row in shop.lines()] == ["1", "2"]


@pytest.mark.parametrize("order", [("01", "02"), ("02", "01")])
def test_replace_counts_the_newest_file_only(tmp_path: Path, order: tuple[str, str]) -> None:
    shop = Shop(tmp_path, with_load("replace"))
    for day in order:
        shop.put(f"sales-2024-07-{day}.csv", f"{day};2024-07-01;A;2;3.50")
        shop.land()
    assert [row[0] for row in shop.lines()] == ["02"]


def test_upsert_keeps_old_rows_and_dates_the_new_content_of_a_path(tmp_path: Path) -> None:
    shop = Shop(tmp_path, with_load("upsert"))
    shop.put("sales.csv", "1;2024-07-01;A;2;3.50", "2;2024-07-01;A;2;3.50")
    shop.land()
    shop.put("sales.csv", "1;2024-07-01;A;3;3.50")
    shop.land(day=1)
    versions = shop.rows("select order_id, quantity, _file_date from landed.order_items order by all")
    assert versions == [("1", "2", None), ("1", "3", dt.date(2026, 11, 21)), ("2", "2", None)]


@pytest.mark.parametrize("shuffled", [False, True])
def test_window_replaces_the_days_a_file_covers(tmp_path: Path, shuffled: bool) -> None:
    shop = Shop(tmp_path, with_load("window", 'window = "Day"\n[files.lines.formats]\nDay = "%d.%m.%Y"\n'))
    first = (
        "sales-2024-07-03.csv",
        "1;01.07.2024;A;1;1",
        "2;02.07.2024;A;1;1",
        "3;03.07.2024;A;1;1",
        "x;someday;A;1;1",
    )
    second = ("sales-2024-07-04.csv", "2;02.07.2024;A;9;1", "4;04.07.2024;A;1;1")
    for name, *lines in (second, first) if shuffled else (first, second):
        shop.put(name, *lines)
        shop.land()
    held = shop.rows("select order_id, quantity from landed.order_items order by all")
    assert held == [("1", "1"), ("2", "9"), ("4", "1"), ("x", "1")]


def test_window_keeps_older_days_when_one_path_is_rewritten(tmp_path: Path) -> None:
    shop = Shop(tmp_path, with_load("window", 'window = "Day"\n'))
    shop.put("sales.csv", "1;2024-07-01;A;1;1", "2;2024-07-02;A;1;1")
    shop.land()
    shop.put("sales.csv", "2;2024-07-02;A;5;1", "3;2024-07-03;A;1;1")
    shop.land(day=1)
    assert shop.rows("select order_id, quantity from landed.order_items order by all") == [
        ("1", "1"),
        ("2", "5"),
        ("3", "1"),
    ]


def test_columns_may_come_and_go(shop: Shop) -> None:
    shop.put("sales-2024-07-01.csv", "1;2024-07-01;A;2;3.50")
    shop.put("sales-2024-07-02.csv", "2;2024-07-02;A;2;3.50;blue", header=HEADER.replace("Price", "Price;Colour"))
    shop.put("sales-2024-07-03.csv", "3.50;2;A;2024-07-03;3", header="PRICE;Pieces;Item;Day;No\n")
    report = shop.land()
    assert [file.notes for file in report.landed] == [
        (),
        ("new column Colour",),
        ("column Colour is not in this file",),
    ]
    assert shop.rows('select "No", "Price", "Colour" from raw.shop__lines order by all') == [
        ("1", "3.50", None), ("2", "3.50", "blue"), ("3", "3.50", None),
    ]  # fmt: skip
    assert len(shop.lines()) == 3
    notes = shop.rows("select rule, message from ops.landing_checks order by all")
    assert ("file_note", "sales-2024-07-02.csv: new column Colour.") in notes


def test_a_file_without_a_needed_column_is_refused_alone(shop: Shop) -> None:
    shop.put("sales-2024-07-01.csv", "1;2024-07-01;A;2;3.50")
    bad = shop.put("sales-2024-07-02.csv", "2;2024-07-02;A;2", header="No;Day;Item;Peices\n")
    shop.put("sales-2024-07-03.csv", "3;2024-07-03;A;2;3.50")
    report = shop.land()
    assert report.files_new == 2
    error = report.refused[0].error
    assert isinstance(error, UnknownColumn)
    assert "sales-2024-07-02.csv" in str(error)
    assert "'Pieces'" in str(error)
    assert "Did you mean 'Peices'" in str(error)
    assert shop.rows("select rule, row_count from ops.landing_checks") == [("file_refused", 1)]
    shop.put(bad.name, "2;2024-07-02;A;2;1")
    assert shop.land().refused == []
    assert len(shop.lines()) == 3


def test_a_join_with_an_optional_group_that_has_not_landed_is_counted_too(tmp_path: Path) -> None:
    """Found wrong once: landing broke off with the engine's own error where a joined optional file was not there."""
    joined = """
[files.names]
path = "names.csv"
optional = true

[[tables]]
table = "products"
from = "lines as l"
join = 'left join (select code, any_value(name) as name from names group by code) as n on n.code = l."Item"'
one_row_per = ["product_id"]
[tables.columns]
product_id = '"Item"'
name = "n.name"

[[tables]]
table = "customers"
from = "lines as l"
join = 'left join (select code, any_value(name) as name from names group by code) as n on n.code = l."Item"'
[tables.columns]
customer_id = '"No"'
created_at = '"Day"'
country = "n.name"
"""
    shop = Shop(tmp_path, FLAT + joined)
    shop.put("sales.csv", "1;2024-01-01;pen;1;2.00")
    assert shop.land().checks == []
    assert shop.rows("select customer_id, country from landed.customers") == [("1", None)]


def test_a_column_that_comes_as_text_and_as_a_map_is_text(tmp_path: Path) -> None:
    """Found wrong once: the engine's common type of a text and a map is a map, and landing broke off with its error."""
    shop = Shop(tmp_path)
    shop.put("sales-1.csv", "1;2024-01-01;pen;1;2.00")
    odd = {"No": ["2"], "Day": ["2024-01-02"], "Pieces": ["1"], "Price": ["3.00"]}
    items = {"list": pa.array([[1, 2]]), "map": pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())),
             "struct": pa.array([{"a": 1}]), "bytes": pa.array([b"\xff"]), "null": pa.nulls(1)}  # fmt: skip
    for name, item in items.items():
        pq.write_table(pa.table({**odd, "Item": item}), shop.data / f"sales-{name}.csv")
    report = shop.land()
    assert not report.refused
    assert report.rows == 1 + len(items)
    assert ("1", "pen") in shop.rows("select order_id, product_id from landed.order_items")


def test_an_optional_file_that_is_refused_stops_the_run_unless_an_older_one_holds(tmp_path: Path) -> None:
    """Found wrong once: the message named no file, and an unreadable first file of spend was a store without spend."""
    spend = """
[files.spend]
path = "spend*.csv"
optional = true

[[tables]]
table = "marketing_spend"
from = "spend"
same_names = true
"""
    shop = Shop(tmp_path, FLAT + spend)
    shop.put("sales.csv", "1;2024-01-01;pen;1;2.00")
    named = shop.put("spend-1.csv", "2024-01-01,Email,3", header="spend_date,canal,spend_amount\n")
    with pytest.raises(UnknownColumn, match=r"spend-1\.csv: the file lacks the column 'channel'"):
        shop.land()
    named.write_bytes(b"PAR1 cut off")
    with pytest.raises(UnreadableFile, match=r"spend-1\.csv is no readable Parquet file"):
        shop.land()
    named.write_text("spend_date,channel,spend_amount\n2024-01-01,Email,3\n")
    assert not shop.land().refused
    shop.put("spend-2.csv", "2024-01-01,Email,3", header="spend_date,canal,spend_amount\n")
    assert [file.file_name for file in shop.land().refused] == ["spend-2.csv"]
    assert shop.rows("select channel from landed.marketing_spend") == [("Email",)]


def test_an_optional_column_that_is_missing_stays_empty_and_is_noted(tmp_path: Path) -> None:
    shop = Shop(tmp_path, FLAT + "discount_amount = '\"Rebate\"'\n")
    shop.put("sales-1.csv", "1;2024-07-01;A;2;3.50;0.5", header=HEADER.replace("Price", "Price;Rebate"))
    shop.put("sales-2.csv", "2;2024-07-01;A;2;3.50")
    report = shop.land()
    assert "no column for order_items.discount_amount" in report.landed[1].notes
    assert shop.rows("select order_id, discount_amount from landed.order_items order by all") == [
        ("1", "0.5"),
        ("2", None),
    ]


def test_a_column_in_no_file_lands_nothing(tmp_path: Path) -> None:
    shop = Shop(tmp_path, FLAT + "discount_amount = '\"Rebate\"'\n")
    shop.put("sales-1.csv", "1;2024-07-01;A;2;3.50")
    with pytest.raises(UnknownColumn, match="'Rebate'"):
        shop.land()
    assert shop.rows("select count(*) from ops.files") == [(0,)]


def test_a_damaged_file_is_named_and_the_others_land(shop: Shop) -> None:
    packed = gzip.compress((HEADER + "1;2024-07-01;A;2;3.50\n" * 100_000).encode())
    (shop.data / "sales-1.csv").write_bytes(packed[:-20])
    with pytest.raises(UnreadableFile, match=r"sales-1\.csv is damaged or cut off"):
        shop.land()
    shop.put("sales-2.csv", "2;2024-07-01;A;2;3.50")
    report = shop.land()
    assert (report.files_new, len(report.refused)) == (1, 1)
    assert shop.rows("select count(*) from raw.shop__lines") == [(1,)]


def test_a_file_that_fails_in_the_middle_leaves_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("marginwise.connectors.reader.BLOCK_BYTES", 4096)
    shop.mapping_file.write_text(FLAT.replace('path = "sales*.csv"', 'path = "sales*.csv"\nencoding = "utf-8"'))
    content = HEADER.encode() + b"1;2024-07-01;A;2;3.50\n" * 50_000 + b"1;2024-07-01;caf\xe9;2;3.50\n"
    (shop.data / "sales-1.csv").write_bytes(content)
    shop.put("sales-2.csv", "2;2024-07-01;A;2;3.50")
    report = shop.land()
    assert "sales-1.csv cannot be read as utf-8" in str(report.refused[0].error)
    assert shop.rows("select count(*) from raw.shop__lines") == [(1,)]
    shop.mapping_file.write_text(FLAT)
    assert shop.land().rows == 50_002  # both are read anew: the declared encoding is gone


def test_a_mended_dialect_reads_the_file_anew(shop: Shop) -> None:
    shop.mapping_file.write_text(FLAT.replace('path = "sales*.csv"', 'path = "sales*.csv"\nskip_rows = 1'))
    shop.put("sales.csv", "x", "No;Day;Item;Pieces;Price", "1;2024-07-01;A;2;3.50", header="")
    shop.land()
    assert shop.rows("select _row_number from raw.shop__lines") == [(1,)]
    shop.put("sales.csv", "No;Day;Item;Pieces;Price", "1;2024-07-01;A;2;3.50", "1;2024-07-01;B;2;3.50", header="")
    shop.mapping_file.write_text(FLAT)
    shop.land()
    shop.mapping_file.write_text(FLAT.replace('path = "sales*.csv"', 'path = "sales*.csv"\nquote = ""'))
    report = shop.land()
    assert (report.files_new, report.rows) == (1, 2)
    assert len(shop.lines()) == 2
    assert shop.rows("select count(*) from ops.files where is_active") == [(1,)]


def test_a_file_read_in_another_way_on_the_day_it_landed_shows_its_new_rows(shop: Shop) -> None:
    """Found wrong once: the raw rows were read anew, and the contract's table kept those of before."""
    head = "No;Day;Item;Pieces;Price"
    shop.put("sales.csv", head, head, "1;2024-07-01;A;2;3.50", header="")
    shop.land()
    assert shop.rows("select count(*) from landed.order_items") == [(2,)]
    shop.mapping_file.write_text(FLAT.replace('path = "sales*.csv"', 'path = "sales*.csv"\nskip_rows = 1'))
    shop.land()
    assert shop.rows("select order_id from landed.order_items") == [("1",)]


def test_what_is_missing_is_named(shop: Shop) -> None:
    shop.put("sale.csv")
    with pytest.raises(MissingFile, match=r"sales\*\.csv.*Did you mean 'sale\.csv'"):
        shop.land()
    shop.mapping_file.write_text(FLAT.replace('"Pieces"', '"Pieces" +'))
    shop.put("sales.csv", "1;2024-07-01;A;2;3.50")
    with pytest.raises(BadMapping, match="cannot be evaluated"):
        shop.land()
    with pytest.raises(MissingFile, match="is not there"):
        land(shop.con, {"x": LandingSource(load_mapping("olist"), shop.data / "none")}, landed_at=DAY)


@pytest.mark.parametrize("content", ["", HEADER])
def test_empty_files_are_fine(shop: Shop, content: str) -> None:
    (shop.data / "sales-1.csv").write_text(content)
    report = shop.land()
    assert (report.files_new, report.rows, report.refused) == (1, 0, [])
    shop.put("sales-2.csv", "1;2024-07-01;A;2;3.50")
    shop.land()
    assert len(shop.lines()) == 1
    assert len(shop.rows("select * from landed.orders")) == 1


def test_parquet_and_csv_share_a_table_and_twins_count_once(tmp_path: Path) -> None:
    shop = Shop(tmp_path, FLAT.replace('"sales*.csv"', '["sales*.parquet", "sales*.csv"]'))
    columns = {
        "No": [1],
        "Day": [dt.datetime.fromisoformat("2024-07-01 10:00")],
        "Item": ["A"],
        "Pieces": [2],
        "Price": [3.5],
    }
    pq.write_table(pa.table(columns), shop.data / "sales-1.parquet")
    shop.put("sales-1.csv", "1;2024-07-01;A;2;3.50")
    report = shop.land()
    assert "sales-1.csv holds the same in another format" in report.landed[0].notes[0]
    assert dict(shop.rows("select column_name, column_type from (describe raw.shop__lines)"))["Pieces"] == "BIGINT"
    assert shop.rows("select ordered_at from landed.orders") == [(dt.datetime.fromisoformat("2024-07-01 08:00"),)]
    shop.put("sales-2.csv", "2;2024-07-01 10:00;A;two;3.50")
    shop.land()
    assert shop.rows("select order_id, quantity from landed.order_items order by all") == [("1", "2"), ("2", "two")]
    assert {row[0] for row in shop.rows("select ordered_at from landed.orders")} == {"2024-07-01 08:00:00"}


def test_a_folder_with_glob_characters_is_no_glob(tmp_path: Path) -> None:
    folder = tmp_path / "my [old] shop*"
    folder.mkdir()
    shop = Shop(folder, FLAT.replace("sales*.csv", "sales.parquet"))
    names = ("No", "Day", "Item", "Pieces", "Price")
    pq.write_table(pa.table({name: ["1"] for name in names}), shop.data / "sales.parquet")
    assert shop.land().rows == 1


def test_rows_that_reach_no_table_or_reach_it_twice_are_counted(tmp_path: Path) -> None:
    items = 'from = "lines"\n'
    shop = Shop(tmp_path, FLAT.replace(items, items + "where = \"Item <> 'Z'\"\n"))
    shop.put("sales.csv", "1;2024-07-01;A;2;3.50", "1;2024-07-01;Z;2;3.50", "1;2024-07-01;;2;3.50")
    assert [(rule, count) for _, rule, count, _ in shop.land().checks] == [("rows_unreached", 2)]
    shop.mapping_file.write_text(FLAT.replace(items, items + 'join = "cross join (values (1), (2)) as v(n)"\n'))
    assert shop.land().checks == [
        ("shop__lines", "rows_multiplied", 3, "The join of order_items adds 3 rows: it must match one row at most.")
    ]
    shop.mapping_file.write_text(FLAT.replace(items, items + "join = \"join (values ('A')) as v(n) on v.n = Item\"\n"))
    assert [(rule, count) for _, rule, count, _ in shop.land().checks] == [("rows_unreached", 2)]


def test_sources_that_feed_one_table_are_united_by_name(tmp_path: Path) -> None:
    con = duckdb.connect()
    sources = {}
    for name, extra, price in (("north", 'x_a = "1"\n', "3.5"), ("south", "x_b = '\"Item\"'\n", "4,5")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "sales.csv").write_text(HEADER + f"1;2024-07-01;A;2;{price}\n")
        (folder / "m.toml").write_text(FLAT + extra)
        sources[name] = LandingSource(load_mapping(folder / "m.toml"), folder)
    land(con, sources, landed_at=DAY)
    rows = con.execute(
        "select _source, unit_price, x_a, x_b, _raw_table from landed.order_items order by all"
    ).fetchall()
    assert rows == [("north", "3.5", 1, None, "north__lines"), ("south", "4,5", None, "A", "south__lines")]
    names = [row[0] for row in con.execute("describe landed.order_items").fetchall()]
    assert names[len(contracts()["order_items"].columns) :][:2] == ["x_a", "x_b"]


def test_progress_tells_every_file(shop: Shop) -> None:
    for day in (1, 2, 3):
        shop.put(f"sales-{day}.csv", f"{day};2024-07-01;A;2;3.50")
    told: list[tuple[str, int, int]] = []
    source = LandingSource(load_mapping(shop.mapping_file), shop.data)
    land(shop.con, {"shop": source}, landed_at=DAY, progress=lambda *args: told.append(args))
    assert told == [("sales-1.csv", 1, 3), ("sales-2.csv", 2, 3), ("sales-3.csv", 3, 3)]


def test_the_contract_pack_takes_files_shaped_like_the_contract(tmp_path: Path) -> None:
    (tmp_path / "orders-2024-07-01.csv").write_text(
        "order_id,ordered_at,status,currency,gift\n1,2024-07-01T10:00:00Z,paid,EUR,yes\n"
    )
    (tmp_path / "order_items.csv").write_text("order_id,line_number,product_id,quantity,unit_price\n1,1,A,2,3.50\n")
    (tmp_path / "order_items_notes.csv").write_text("not,this\n1,2\n")
    con = duckdb.connect()
    land(con, {"demo": LandingSource(load_mapping("contract"), tmp_path)}, landed_at=DAY)
    assert con.execute("select order_id, ordered_at, x_gift from landed.orders").fetchall() == [
        ("1", "2024-07-01 10:00:00", "yes")
    ]
    assert con.execute("select count(*) from landed.order_items").fetchall() == [(1,)]


def _land_in_child(folder: str) -> None:
    def tell(_name: str, done: int, _total: int) -> None:
        (Path(folder) / "progress").write_text(str(done))

    con = duckdb.connect(f"{folder}/warehouse.duckdb")
    source = LandingSource(load_mapping(f"{folder}/shop.map.toml"), Path(folder) / "data")
    land(con, {"shop": source}, landed_at=DAY, progress=tell)


def _progress(folder: Path) -> int:
    try:
        return int((folder / "progress").read_text() or 0)
    except FileNotFoundError:
        return 0


def test_a_landing_that_is_killed_leaves_whole_files(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.con.close()
    for day in range(1, 29):
        shop.put(f"sales-2024-07-{day:02}.csv", *(f"{day}-{n};2024-07-{day:02};A;2;3.50" for n in range(500)))
    chance = random.Random(7)
    context = multiprocessing.get_context("spawn")
    landed = []
    for goal in (3, 9, 16):
        (tmp_path / "progress").unlink(missing_ok=True)
        child = context.Process(target=_land_in_child, args=(str(tmp_path),))
        child.start()
        while child.is_alive() and _progress(tmp_path) < goal:
            time.sleep(0.001)
        time.sleep(chance.random() / 100)
        assert child.pid
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as con:
            of_file = "(select count(*) from raw.shop__lines as r where r._file_hash = f.file_hash)"
            torn = con.execute(f"select count(*) from ops.files as f where row_count <> {of_file}").fetchall()
            stray = "select count(*) from raw.shop__lines as r anti join ops.files as f on f.file_hash = r._file_hash"
            assert (torn, con.execute(stray).fetchall()) == ([(0,)], [(0,)])
            landed.append(con.execute("select count(*) from ops.files").fetchall()[0][0])
    assert 3 <= landed[0] < 28, "the first kill must fall into the landing"
    assert landed == sorted(landed)
    _land_in_child(str(tmp_path))
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as con:
        counts = con.execute("select count(*), count(distinct order_id) from landed.order_items").fetchall()
        assert counts == [(14_000, 14_000)]


def test_parquet_columns_of_one_name_keep_their_own_values(tmp_path: Path) -> None:
    # found wrong once: the second was given the values of the first; and a column without a name was no Parquet at all
    shop = Shop(tmp_path, FLAT.replace("sales*.csv", "sales.parquet"))
    names = ["No", "Day", "Item", "Pieces", "Price", "PRICE", "Item", ""]
    pq.write_table(
        pa.table([[name.upper() + str(place)] for place, name in enumerate(names)], names), shop.data / "sales.parquet"
    )
    assert shop.land().rows == 1
    assert shop.rows("select * exclude (_file_hash, _row_number) from raw.shop__lines")[0] == (
        "NO0",
        "DAY1",
        "ITEM2",
        "PIECES3",
        "PRICE4",
        "PRICE5",
        "ITEM6",
        "7",
    )


def test_an_expression_that_fails_on_a_value_is_told_without_the_value(tmp_path: Path) -> None:
    # found wrong once: "Unexpected ConversionException", with what stood in the cell
    shop = Shop(tmp_path, FLAT.replace("quantity = '\"Pieces\"'", "quantity = 'cast(\"Pieces\" as integer)'"))
    shop.put("sales-1.csv", "1;2024-07-01 10:00;A;2;3.50")
    assert shop.land().rows == 1
    shop.put("sales-2.csv", "2;2024-07-01 10:00;A;anna@example.org;3.50")
    told = r"Table order_items: the expression of quantity in .*shop\.map\.toml fails on a value.*try_cast"
    with pytest.raises(BadMapping, match=told) as caught:
        shop.land()
    assert "anna" not in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("'\"Pieces\"'", "'error(\"Pieces\")'", "order_items: the expression of quantity"),
        ("'\"Pieces\"'", "'(select \"Pieces\" from lines)'", "order_items: the expression of quantity"),
        ("'\"Pieces\"'", "'9223372036854775807 + length(\"Pieces\")'", "order_items: the expression of quantity"),
        ("'\"Day\"'", """'''strptime("Day", '%d.%m.%Y')'''""", "orders: the expression of ordered_at"),
        ('from = "lines"', "from = 'lines'\nwhere = 'cast(\"Item\" as int) = 1'", "order_items: an expression"),
        ("quantity =", "x_age = 'cast(\"Item\" as int)'\nquantity =", "order_items: the expression of x_age"),
    ],
)
def test_what_fails_on_a_value_is_told_by_its_column_where_it_has_one(
    old: str, new: str, told: str, tmp_path: Path
) -> None:
    shop = Shop(tmp_path, FLAT.replace(old, new))
    shop.put("sales.csv", "1;2024-07-01 10:00;Anna;anna;3.50", "2;2024-07-01 10:00;Anna;anna;3.50")
    with pytest.raises(BadMapping, match=rf"Table {told} in .*shop\.map\.toml fails on a value") as caught:
        shop.land()
    assert "anna" not in str(caught.value).casefold()
    assert shop.rows("select count(*) from raw.shop__lines") == [(2,)]


def shop_that_fails_when_read(folder: Path) -> Shop:
    """Return a shop whose file has landed; the mapping fails on a value of it, which is reckoned whenever it is read."""
    failing = FLAT.replace("quantity = '\"Pieces\"'", "quantity = 'cast(\"Pieces\" as integer)'")
    shop = Shop(folder, failing.replace(".csv", ".parquet"))
    columns = {"No": [1], "Day": ["2024-07-01"], "Item": ["A"], "Pieces": ["anna@example.org"], "Price": [3.5]}
    pq.write_table(pa.table(columns), shop.data / "sales.parquet")
    assert shop.land().rows == 1
    write_declared(shop.con, Settings())
    return shop


def test_an_expression_that_fails_only_when_it_is_read_is_told_by_the_check(tmp_path: Path) -> None:
    shop = shop_that_fails_when_read(tmp_path)
    shop.con.close()
    with pytest.raises(BadMapping, match=r"Table order_items.* fails on a value.*try_cast") as caught:
        WarehouseProject(tmp_path / "warehouse.duckdb", warehouse_variables(Settings())).build("tag:check")
    assert "anna" not in str(caught.value)


def test_a_parquet_column_may_be_called_as_the_engine_calls_its_number_of_a_row(tmp_path: Path) -> None:
    # found wrong once: a Binder Error of the engine
    shop = Shop(tmp_path, FLAT.replace("sales*.csv", "sales.parquet"))
    numbers = list(range(300_000, 0, -1))
    names = ("No", "Day", "Item", "Pieces", "Price", "File_Row_Number")
    pq.write_table(pa.table(dict.fromkeys(names, numbers)), shop.data / "sales.parquet", row_group_size=20_000)
    assert shop.land().rows == 300_000
    wrong = 'count(*) filter ("File_Row_Number" + _row_number <> 300001 or "No" <> "File_Row_Number")'
    assert shop.rows(f"select {wrong}, count(distinct _row_number) from raw.shop__lines") == [(0, 300_000)]


def test_a_time_beyond_the_engine_s_reach_is_told_without_its_words(tmp_path: Path) -> None:
    shop = Shop(tmp_path, FLAT.replace("sales*.csv", "sales.parquet"))
    columns = {name: ["1"] for name in ("No", "Item", "Pieces", "Price")} | {
        "Day": pa.array([2**50], pa.timestamp("s"))
    }
    pq.write_table(pa.table(columns), shop.data / "sales.parquet")
    with pytest.raises(UnreadableFile, match=r"sales\.parquet holds a value beyond what the engine can hold") as caught:
        shop.land()
    assert "Could not convert" not in str(caught.value)


def test_a_name_that_is_no_text_is_refused_and_told(shop: Shop) -> None:
    # found wrong once: "Unable to cast Python instance"
    shop.put("sales-1.csv", "1;2024-07-01;A;2;3.50")
    untold = shop.put(os.fsdecode(b"sales-verk\xe4ufe.csv"), "2;2024-07-01;A;2;3.50")
    for rows in (1, 0):
        report = shop.land()
        assert report.rows == rows
        assert [file.file_name for file in report.refused] == [r"sales-verk\xe4ufe.csv"]
        assert str(report.refused[0].error).startswith(r"The name sales-verk\xe4ufe.csv is not UTF-8 text. Rename it")
    untold.rename(shop.data / "sales-2.csv")
    report = shop.land()
    assert (report.rows, report.refused) == (1, [])


@pytest.mark.parametrize("pattern", ["sales*.csv", "sales-2.csv"])
@pytest.mark.parametrize(("target", "told"), [("gone.csv", "points to nothing"), ("sales-2.csv", "points to nothing"),
                                              (None, "is no regular file")])  # fmt: skip
def test_what_has_the_name_of_a_file_and_is_none_is_told(
    pattern: str, target: str | None, told: str, tmp_path: Path
) -> None:
    # found wrong once: passed over without a word, the drop that it stood for with it
    shop = Shop(tmp_path, FLAT.replace('"sales*.csv"', f'["sales-1.csv", "{pattern}"]'))
    shop.put("sales-1.csv", "1;2024-07-01;A;2;3.50")
    if target:
        (shop.data / "sales-2.csv").symlink_to(target)
    else:
        os.mkfifo(shop.data / "sales-2.csv")
    report = shop.land()
    assert report.rows == 1
    assert [file.file_name for file in report.refused] == ["sales-2.csv"]
    assert told in str(report.refused[0].error)
    assert [check[1] for check in report.checks] == ["file_refused"]


def test_a_link_to_a_file_lands_and_a_folder_of_a_file_s_name_is_none(shop: Shop) -> None:
    shop.put("all.csv", "1;2024-07-01;A;2;3.50")
    (shop.data / "sales-1.csv").symlink_to("all.csv")
    (shop.data / "sales-2.csv").mkdir()
    report = shop.land()
    assert (report.rows, report.refused) == (1, [])
