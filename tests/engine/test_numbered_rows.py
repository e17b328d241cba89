"""Rows without a number of their own count once however many files repeat them, and differing files are told."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

import pytest

from tests.connectors.test_mapping import FLAT
from tests.engine.test_landing import Shop

HEADER = "No;Day;Item;Pieces;Price;State\n"

JANUARY = ("1;2024-01-05;A;1;5;open", "1;2024-01-05;A;1;5;open", "1;2024-01-05;B;2;3;open", "2;2024-01-09;C;1;9;paid")
TO_MARCH = (
    *(line.replace("open", "paid") for line in JANUARY[:3]), JANUARY[3], "3;2024-03-01;A;4;5;open",
)  # fmt: skip


def numbered(load: str = "append") -> str:
    """Return a mapping whose lines are counted within the order."""
    before, _, after = FLAT.partition("line_number = ")
    columns = 'line_number = "_number"\n' + after.split("\n", 1)[1]
    text = before.replace('table = "order_items"', 'table = "order_items"\nnumber_within = \'"No"\'') + columns
    text = text.replace("status = \"'paid'\"", "status = '\"State\"'")
    return text.replace('path = "sales*.csv"', f'path = "sales*.csv"\nload = "{load}"')


def sold(shop: Shop) -> list[tuple[object, ...]]:
    """Return the lines of every order as they hold: one per key, that of the newest file."""
    return shop.rows(
        "select order_id, line_number, product_id, quantity, unit_price from landed.order_items"
        " qualify row_number() over (partition by order_id, line_number order by _file_date desc, _file_hash) = 1"
        " order by all"
    )


def test_overlapping_exports_count_every_line_once(tmp_path: Path) -> None:
    shop = Shop(tmp_path, numbered())
    shop.put("sales-2024-01-31.csv", *JANUARY, header=HEADER)
    shop.land()
    alone = sold(shop)
    assert [row[1:3] for row in alone if row[0] == "1"] == [(1, "A"), (2, "A"), (3, "B")]
    shop.put("sales-2024-03-31.csv", *TO_MARCH, header=HEADER)
    report = shop.land(day=60)
    assert sold(shop) == [*alone, ("3", 1, "A", "4", "5")]
    assert report.checks == []
    assert shop.rows("select status from landed.orders where order_id = '1'") == [("paid",)], "as the newest file says"
    assert shop.rows("select count(*) from landed.order_items") == [(9,)], "no row is left out before it is checked"


def test_the_order_of_arrival_does_not_matter(tmp_path: Path) -> None:
    files = {"sales-2024-01-31.csv": JANUARY, "sales-2024-03-31.csv": TO_MARCH, "sales-2024-02-15.csv": JANUARY[:2]}
    seen = []
    for number, names in enumerate(itertools.permutations(files)):
        shop = Shop(_folder(tmp_path / str(number)), numbered())
        for day, name in enumerate(names):
            shop.put(name, *files[name], header=HEADER)
            shop.land(day=day)
        seen.append(sold(shop))
    assert all(rows == seen[0] for rows in seen)


def test_an_order_cut_in_two_by_the_end_of_a_file_is_whole(tmp_path: Path) -> None:
    shop = Shop(tmp_path, numbered())
    shop.put("sales-1.csv", *JANUARY[:2], header=HEADER)
    shop.put("sales-2.csv", *JANUARY[2:], header=HEADER)
    report = shop.land()
    assert sorted(row[2] for row in sold(shop) if row[0] == "1") == ["A", "A", "B"]
    ((raw_table, rule, count, message),) = report.checks
    assert (raw_table, rule, count) == ("shop__lines", "files_differ", 1)
    assert message.startswith('1 values of "No" have other rows in one file than in another: in order_items they add')
    assert 'load = "upsert"' in message


@pytest.mark.parametrize("first", ["sales-2024-01-31.csv", "sales-2024-02-28.csv"])
def test_with_upsert_the_newest_file_gives_all_rows_of_an_order(tmp_path: Path, first: str) -> None:
    corrected = ("1;2024-01-05;A;1;5;paid", "1;2024-01-05;B;1;3;paid")
    files = {"sales-2024-01-31.csv": JANUARY, "sales-2024-02-28.csv": corrected}
    shop = Shop(tmp_path, numbered("upsert"))
    for day, name in enumerate(sorted(files, key=lambda name: name != first)):
        shop.put(name, *files[name], header=HEADER)
        report = shop.land(day=day)
    assert sold(shop) == [("1", 1, "A", "1", "5"), ("1", 2, "B", "1", "3"), ("2", 1, "C", "1", "9")]
    assert report.checks == []


def _folder(path: Path) -> Path:
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    return path
