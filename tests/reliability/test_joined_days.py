"""A source whose mapping joins its files, delivered bit by bit: what comes late reaches rows that were there before."""

from __future__ import annotations

import csv
import gzip
import io
import random
import shutil
from pathlib import Path

import duckdb
import pytest

from marginwise.engine.dbt import project_directory
from marginwise.ops.pipeline import run
from marginwise.settings import load_settings
from tests.reliability.stores import built, differing, run_here
from tests.reliability.test_kept import SCHEMAS, changed_rows, facts_of

FILES_OF_OWN = """
[source]
name = "own"
currency = "EUR"
time_zone = "UTC"

[files.lines]
path = "lines*.csv"

[files.items]
path = "items*.csv"
"""
OWN = """
[[tables]]
table = "orders"
from = "lines"
one_row_per = ["order_id"]
[tables.columns]
order_id = '"no"'
ordered_at = '"day"'
status = "'paid'"
customer_id = '"buyer"'

[[tables]]
table = "order_items"
from = "lines as l"
join = 'left join items as i on i."item" = l."item"'
[tables.columns]
order_id = 'l."no"'
line_number = 'row_number() over (partition by l."no" order by l."item")'
product_id = 'l."item"'
quantity = "1"
unit_price = 'l."price"'
unit_cost = 'i."cost"'

[[tables]]
table = "customers"
from = "lines"
one_row_per = ["customer_id"]
[tables.columns]
customer_id = '"buyer"'
created_at = 'min("day") over (partition by "buyer")'

[[tables]]
table = "products"
from = "items"
[tables.columns]
product_id = '"item"'
name = '"name"'
"""
# each row of the source gives two products, and shares one with the next row
CHAINED = """
[[tables]]
table = "orders"
from = "lines"
[tables.columns]
order_id = '"no"'
ordered_at = '"day"'
status = "'paid'"

[[tables]]
table = "order_items"
from = "lines"
[tables.columns]
order_id = '"no"'
line_number = "1"
product_id = "'any'"
quantity = "1"
unit_price = "3"

[[tables]]
table = "products"
from = "lines as l"
join = 'join items as i on i."no" = l."no"'
[tables.columns]
product_id = 'i."item"'
name = 'i."name"'
updated_at = 'l."day"'
"""
HEADER = "no,day,item,buyer,price"
ORDERS = 1500
DELIVERIES = 6
FILES = ("orders", "order_items", "order_payments", "order_reviews", "customers", "products", "sellers")
SETTINGS = '[store]\ncurrency = "BRL"\n[sources.shop]\nmapping = "olist.map.toml"\ndata = "data"\n'


def _own_store(folder: Path, mapping: str) -> Path:
    (folder / "data").mkdir(parents=True)
    (folder / "marginwise.toml").write_text(
        '[sources.own]\nmapping = "own.map.toml"\ndata = "data"\n', encoding="utf-8"
    )
    (folder / "own.map.toml").write_text(FILES_OF_OWN + mapping, encoding="utf-8")
    return folder


def _put_text(store: Path, name: str, *rows: str, header: str) -> None:
    (store / "data" / name).write_text("\n".join([header, *rows, ""]), encoding="utf-8")


def test_a_day_of_a_mapping_that_joins_numbers_and_picks_is_told_row_by_row(tmp_path: Path) -> None:
    store = _own_store(tmp_path / "store", OWN)
    lines = [
        f"{n},2024-05-{n % 28 + 1:02d},i{item},b{n // 2},{n + item}" for n in range(60) for item in range(n % 3 + 1)
    ]
    _put_text(store, "lines.csv", *lines, "3,2024-05-04,i9,b1,12", header=HEADER)
    _put_text(store, "items.csv", *(f"i{item},Item {item},{item}" for item in range(3)), header="item,name,cost")
    run_here(store, "land", "check")
    _put_text(store, "lines-2024-06-01.csv", "7,2024-04-01,i9,b7,5", "100,2024-05-30,i1,b7,5", header=HEADER)
    # which a line of before is joined to
    _put_text(store, "items-2024-06-01.csv", "i9,Late,4", header="item,name,cost")
    run_here(store, "land")
    facts = facts_of(store, "land", "check")  # what the first landing told still stands
    assert facts["check"]["made_anew_because"] is None
    assert 0 < changed_rows(store) < 30
    whole = tmp_path / "whole"
    shutil.copytree(store, whole, ignore=shutil.ignore_patterns(".marginwise"))
    run_here(whole, "land", "check")
    assert not differing(built(store, "checks", "quarantine"), built(whole, "checks", "quarantine"))


@pytest.mark.soak
def test_keys_that_chain_over_many_rows_are_judged_as_a_whole(tmp_path: Path) -> None:
    """Found wrong once: the check broke off."""
    store = _own_store(tmp_path / "store", CHAINED)
    _put_text(store, "lines.csv", *(f"{n},2024-05-{n % 28 + 1:02d}" for n in range(90)), header="no,day")
    _put_text(store, "items.csv", *(f"{n},i{n + k},Name" for n in range(90) for k in (0, 1)), header="no,item,name")
    run_here(store, "land", "check")
    _put_text(store, "items-2024-06-01.csv", "45,i45,Other", header="no,item,name")
    assert facts_of(store, "land", "check")["check"]["made_anew_because"] is None
    whole = tmp_path / "whole"
    shutil.copytree(store, whole, ignore=shutil.ignore_patterns(".marginwise"))
    run_here(whole, "land", "check")
    assert not differing(built(store, "checks", "quarantine"), built(whole, "checks", "quarantine"))


def _rows(olist: Path, name: str) -> list[list[str]]:
    with gzip.open(olist / f"olist_{name}_dataset.csv.gz", "rt", encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def _of_orders(olist: Path) -> dict[str, list[list[str]]]:
    """Return the files' rows that belong to the first orders."""
    found = {name: _rows(olist, name) for name in FILES}
    del found["orders"][ORDERS + 1 :]
    for column, name, others in (
        ("order_id", "orders", ("order_items", "order_payments", "order_reviews")),
        ("customer_id", "orders", ("customers",)),
        ("product_id", "order_items", ("products",)),
        ("seller_id", "order_items", ("sellers",)),
    ):
        header, *rows = found[name]
        known = {row[header.index(column)] for row in rows}
        for other in others:
            head, *told = found[other]
            found[other] = [head, *(row for row in told if row[head.index(column)] in known)]
    return found


def _shop(folder: Path) -> Path:
    (folder / "data").mkdir(parents=True)
    pack = (project_directory().parent / "connectors" / "packs" / "olist.toml").read_text(encoding="utf-8")
    (folder / "olist.map.toml").write_text(pack.replace("_dataset.csv*", "_dataset*.csv"), encoding="utf-8")
    (folder / "marginwise.toml").write_text(SETTINGS, encoding="utf-8")
    return folder


def _put(shop: Path, name: str, header: list[str], rows: list[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([header, *rows])
    (shop / "data" / f"olist_{name}.csv").write_text(text.getvalue(), encoding="utf-8")


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(4))
def test_olist_in_deliveries_ends_as_its_single_files(seed: int, shared_data: Path, tmp_path: Path) -> None:
    rng, files = random.Random(seed), _of_orders(shared_data / "olist")
    bit_by_bit, whole = _shop(tmp_path / "bit-by-bit"), _shop(tmp_path / "whole")
    later: list[dict[str, list[list[str]]]] = [{} for _ in range(DELIVERIES)]
    for name, (header, *rows) in files.items():
        _put(whole, f"{name}_dataset", header, rows)
        at_once = []
        for row in rows:  # each by itself: lines come before their orders, customers after them
            if rng.random() < 0.9:
                at_once.append(row)
            else:
                rng.choice(later).setdefault(name, []).append(row)
        _put(bit_by_bit, f"{name}_dataset", header, at_once)
    run_here(bit_by_bit, "land", "check", "build")
    for number, delivery in enumerate(later):
        for name, rows in delivery.items():
            _put(bit_by_bit, f"{name}_dataset_{number}", files[name][0], rows)
        if rng.random() < 0.3:
            run_here(bit_by_bit, "land")  # twice before the next check
            continue
        report = run(load_settings(bit_by_bit), ("land", "check", "build"))
        assert [stage.facts.get("made_anew_because") for stage in report.stages] == [None] * 3
    run_here(bit_by_bit, "land", "check", "build")
    with duckdb.connect(str(bit_by_bit / ".marginwise" / "warehouse.duckdb"), read_only=True) as con:
        of_several_rows = con.execute("select told_since is null from ops.landed_tables where not is_by_row").fetchall()
    assert set(of_several_rows) == {(False,)}  # row by row, no table as a whole
    run_here(whole, "land", "check", "build")
    assert not differing(built(bit_by_bit, *SCHEMAS), built(whole, *SCHEMAS))
