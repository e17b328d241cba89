"""A source whose mapping joins its files, delivered bit by bit: what comes late reaches rows that were there before."""

from __future__ import annotations

import csv
import gzip
import io
import random
from pathlib import Path

import duckdb
import pytest

from marginwise.engine.dbt import project_directory
from marginwise.ops.pipeline import run
from marginwise.settings import load_settings
from tests.reliability.stores import built, differing, run_here

ORDERS = 1500
DELIVERIES = 6
FILES = ("orders", "order_items", "order_payments", "order_reviews", "customers", "products", "sellers")
SETTINGS = '[store]\ncurrency = "BRL"\n[sources.shop]\nmapping = "olist.map.toml"\ndata = "data"\n'


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
    schemas = ("core", "marts", "quarantine")
    assert not differing(built(bit_by_bit, *schemas), built(whole, *schemas))
