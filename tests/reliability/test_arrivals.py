"""Late, corrected, repeated and vanished rows: whatever the order of arrival, the end is that of one run on all files."""

from __future__ import annotations

import csv
import random
import shutil
import tarfile
from pathlib import Path

import pytest

from tests.reliability.arrivals import arrive_in_any_order, order_lines, rows_of
from tests.reliability.stores import built, differing, run_here, small_store

pytestmark = pytest.mark.xdist_group("hindrances")
SETTINGS = (
    '[store]\ncurrency = "GBP"\ntime_zone = "Europe/London"\n[sources.shop]\nmapping = "online_retail"\ndata = "data"\n'
)


def test_any_order_of_arrival_ends_as_one_run_on_all_files(tmp_path: Path) -> None:
    assert not arrive_in_any_order(tmp_path, 1, seed=2, runs_between=0.05)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 140))
def test_two_hundred_orders_of_arrival(seed: int, tmp_path: Path) -> None:
    off = arrive_in_any_order(tmp_path, 5, seed=seed, runs_between=0.06)
    assert not off, "\n".join(off)


@pytest.mark.soak
def test_a_late_cost_changes_only_the_lines_of_its_product(tmp_path: Path) -> None:
    store = small_store(tmp_path / "store")
    path = store / "data" / "product_costs.csv"
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    products = sorted({row["product_id"] for row in rows_of(store / "data" / "order_items.csv")})
    late = random.Random(1).sample(products, 3)
    held = [line for line in lines if line.split(",")[1] in late]
    path.write_text("\n".join([header, *(line for line in lines if line not in held)]) + "\n", encoding="utf-8")
    catalogue = store / "data" / "products.csv"
    products_told = rows_of(catalogue)
    with catalogue.open("w", newline="", encoding="utf-8") as file:  # which states the same costs
        writer = csv.DictWriter(file, list(products_told[0]))
        writer.writeheader()
        writer.writerows({**row, "unit_cost": ""} if row["product_id"] in late else row for row in products_told)
    run_here(store, "land", "check", "build")
    before = order_lines(store)
    (store / "data" / "product_costs-2026-01-05.csv").write_text("\n".join([header, *held]) + "\n", encoding="utf-8")
    run_here(store, "land", "check", "build")
    after = order_lines(store)
    concerned = {(row["order_id"], int(row["line_number"])) for row in rows_of(store / "data" / "order_items.csv")
                 if row["product_id"] in late}  # fmt: skip
    changed = {line for line in before.keys() | after.keys() if before.get(line) != after.get(line)}
    assert changed
    assert changed <= concerned


def _days(shared_data: Path, folder: Path) -> list[Path]:
    folder.mkdir()
    with tarfile.open(shared_data / "uci_online_retail" / "by_day_csv.tar.gz") as archive:
        for member in archive:
            content = archive.extractfile(member)
            if content is not None and member.name.endswith(".csv"):
                (folder / Path(member.name).name).write_bytes(content.read())
    return sorted(folder.iterdir())


def _shop(folder: Path) -> Path:
    (folder / "data").mkdir(parents=True)
    (folder / "marginwise.toml").write_text(SETTINGS, encoding="utf-8")
    return folder


def _hold_days(days: list[Path], single: Path, tmp_path: Path, *, builds: int) -> None:
    rng = random.Random(12)
    shuffled = rng.sample(days, len(days))
    by_day, whole = _shop(tmp_path / "by-day"), _shop(tmp_path / "whole")
    shutil.copy(single, whole / "data" / f"online_retail{single.suffix}")
    built_after = {round(len(days) * number / builds) for number in range(1, builds + 1)}
    for number, day in enumerate(shuffled, start=1):
        shutil.copy(day, by_day / "data" / day.name)
        run_here(by_day, *(("land", "check", "build") if number in built_after else ("land",)))
    run_here(whole, "land", "check", "build")
    schemas = ("core", "marts")
    assert not differing(built(by_day, *schemas), built(whole, *schemas))


def test_twelve_shuffled_days_end_as_their_single_file(shared_data: Path, tmp_path: Path) -> None:
    days = _days(shared_data, tmp_path / "days")[:12]
    single = tmp_path / "single.csv"
    header, *_ = days[0].read_text(encoding="utf-8").splitlines(keepends=True)
    single.write_text(
        header + "".join(day.read_text(encoding="utf-8").removeprefix(header) for day in days), encoding="utf-8"
    )
    _hold_days(days, single, tmp_path, builds=2)


@pytest.mark.soak
def test_305_shuffled_days_end_as_the_single_file(shared_data: Path, tmp_path: Path) -> None:
    days = _days(shared_data, tmp_path / "days")
    assert len(days) == 305
    _hold_days(days, shared_data / "uci_online_retail" / "online_retail_2010_2011.parquet", tmp_path, builds=305)
