"""Cuts a store's files into deliveries that come late, correct, repeat or take back rows, and lets them arrive in any order."""

from __future__ import annotations

import csv
import random
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from marginwise.errors import MarginwiseError
from tests.reliability.mutations import Table, table_of, text_of
from tests.reliability.stores import built, differing, run_here, small_store

# the column that a correction changes; what is not named comes late or twice, and is never corrected
_CORRECTED = {"orders": "shipping_cost_amount", "order_items": "unit_price", "product_costs": "unit_cost", "refunds": "amount",
              "exchange_rates": "rate", "marketing_spend": "spend_amount", "payments": "fee_amount"}  # fmt: skip
_TABLES = (*_CORRECTED, "customers", "sessions")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_LEFT_OUT = ("events", "inventory", "weather", "product_prices", "budgets", "subscriptions")


@dataclass(frozen=True)
class Delivery:
    """A content that a path of the data folder takes on; a later delivery may give it another."""

    name: str
    content: bytes


@dataclass
class Deliveries:
    """All that arrives, each path's contents in their order."""

    by_path: dict[str, list[Delivery]] = field(default_factory=dict)

    def add(self, name: str, table: Table) -> None:
        self.by_path.setdefault(name, []).append(Delivery(name, text_of(table)))

    def final(self) -> dict[str, bytes]:
        """Return what lies in the folder when everything has arrived."""
        return {name: contents[-1].content for name, contents in self.by_path.items()}

    def shuffled(self, rng: random.Random) -> Iterator[Delivery]:
        """Yield all deliveries in a random order that keeps the order of each path's own contents; some come twice."""
        waiting = {name: list(contents) for name, contents in self.by_path.items()}
        while waiting:
            name = rng.choice(sorted(waiting))
            delivery = waiting[name].pop(0)
            yield delivery
            if rng.random() < 0.1:
                yield delivery
            if not waiting[name]:
                del waiting[name]


def deliveries_of(store: Path, rng: random.Random) -> Deliveries:
    """Cut the files of a store: a base, and for some tables dated files with late, corrected, repeated and vanishing rows."""
    found = Deliveries()
    for path in sorted((store / "data").glob("*.csv")):
        name = path.stem
        if name in _LEFT_OUT or name == "truth_customers":
            continue
        header, *rows = table_of(path.read_bytes())
        if name not in _TABLES or len(rows) < 20 or rng.random() < 0.3:
            found.add(path.name, [header, *rows])
            continue
        base, days = [], [[] for _ in range(rng.randrange(1, 4))]  # type: list[list[str]], list[Table]
        late = rng.choice((0.02, 0.2))
        for row in rows:
            (rng.choice(days) if rng.random() < late else base).append(row)
        if rng.random() < 0.3:  # the base is delivered twice; rows of the first have vanished from the second
            found.add(path.name, [header, *base, *rng.choice(days)])
        found.add(path.name, [header, *base])
        for number, extra in enumerate(days):
            date = f"2026-01-{5 + number:02d}"
            day = [
                *extra,
                *(
                    _corrected(header, row, name, number, rng)
                    for row in rng.sample(base, min(len(base), rng.randrange(6)))
                ),
            ]
            day += rng.sample(base, min(len(base), rng.randrange(3)))  # told again, unchanged
            rng.shuffle(day)
            if day and rng.random() < 0.2:
                found.add(f"{name}-{date}.csv", [header, *day, *rng.sample(base, min(3, len(base)))])
            if day:
                found.add(f"{name}-{date}.csv", [header, *day])
            if day and rng.random() < 0.2:  # the same export under a second name
                found.add(f"{name}-{date}_2.csv", [header, *day])
    return found


def _corrected(header: list[str], row: list[str], table: str, day: int, rng: random.Random) -> list[str]:
    corrected = list(row)
    column = _CORRECTED.get(table)
    if column is None:
        return corrected
    place = header.index(column)
    if not _NUMBER.fullmatch(row[place]):  # dirt that is no amount
        return corrected
    corrected[place] = (
        f"{float(row[place]) * rng.choice((0.5, 0.9, 1.25)):.2f}"
        if table != "exchange_rates"
        else f"{float(row[place]) * 1.1:.6f}"
    )
    if rng.random() < 0.7:  # else the file's date alone tells which is newer
        corrected[header.index("updated_at")] = f"2026-01-{5 + day:02d} 03:00:00"
    return corrected


def arrive_in_any_order(folder: Path, orders: int, *, seed: int, runs_between: float) -> list[str]:
    """Let one set of deliveries arrive in so many orders; return how the core and marts differ from one run on all files.

    Parameters
    ----------
    folder
        An empty folder.
    orders
        Orders of arrival to try.
    seed
        Decides on the deliveries and the orders.
    runs_between
        Share of deliveries after which the warehouse is built; the files land one at a time in any case at a third.
    """
    rng = random.Random(seed)
    whole = small_store(folder / "whole", seed=rng.randrange(1000), dirt_rate=rng.choice((0.0, 0.005)))
    deliveries = deliveries_of(whole, rng)
    at_once = _empty(whole, folder / "at-once")
    for name, content in deliveries.final().items():
        (at_once / "data" / name).write_bytes(content)
    run_here(at_once, "land", "check", "build")
    expected = built(at_once, "core", "marts", "quarantine")
    off = []
    for number in range(orders):
        store = _empty(whole, folder / f"order-{number}")
        for delivery in deliveries.shuffled(rng):
            (store / "data" / delivery.name).write_bytes(delivery.content)
            if rng.random() < 1 / 3:
                _try(store, "land")
            if rng.random() < runs_between:
                _try(store, "land", "check", "build")
        run_here(store, "land", "check", "build")
        found = differing(built(store, "core", "marts", "quarantine"), expected)
        off += [f"seed {seed}, order {number}: {name}" for name in found]
        if not found:
            shutil.rmtree(store)
    return off


def _empty(whole: Path, store: Path) -> Path:
    (store / "data").mkdir(parents=True)
    shutil.copy(whole / "marginwise.toml", store)
    return store


def _try(store: Path, *stages: str) -> None:
    """Run stages on what is there; what has not arrived yet may stop them."""
    try:
        run_here(store, *stages)
    except MarginwiseError as error:
        if error.exit_code != 3:
            raise


def order_lines(store: Path) -> dict[tuple[str, int], tuple[object, ...]]:
    """Return the priced order lines by order and line, load columns aside."""
    con = duckdb.connect(str(store / ".marginwise" / "warehouse.duckdb"), read_only=True)
    try:
        found = con.execute(
            "select order_id, line_number, columns(lambda c: c not like '\\_%' escape '\\') from core.fct_order_lines"
        )
        return {(row[0], row[1]): row[2:] for row in found.fetchall()}
    finally:
        con.close()


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
