"""Lands an export by its proposed mapping, unedited, and tells which required columns came out as the shop knows them."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from marginwise.connectors.mapping import load_mapping
from marginwise.connectors.proposal.propose import Proposal, propose_mapping
from marginwise.engine.landing import LandingSource, LandReport, land
from tests.connectors.shop_exports import Line, Shop

DAY = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Expected:
    """How an export differs from the shop's own truth."""

    order_id: Callable[[Line], str] = lambda line: line.order
    status: Callable[[Line], str] = lambda line: line.status
    currency: str = "EUR"
    has_clock: bool = True
    utc_offset: int = 0
    has_returns: bool = True
    has_discount: bool = True
    customers: int | None = None


@dataclass
class Landed:
    """A proposal, what landing said, and the warehouse it landed in."""

    proposal: Proposal
    report: LandReport
    con: duckdb.DuckDBPyConnection
    zone: str

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.con.execute(sql).fetchall()


def land_proposed(folder: Path, files: list[Path]) -> Landed:
    """Propose a mapping for the files, write it down as it is, load it, land."""
    proposal = propose_mapping(files, root=folder)
    mapping_file = folder.parent / "proposed.map.toml"
    mapping_file.write_text(proposal.text, encoding="utf-8")
    mapping = load_mapping(mapping_file)
    con = duckdb.connect()
    report = land(con, {mapping.name: LandingSource(mapping, folder)}, landed_at=DAY)
    return Landed(proposal, report, con, mapping.source.time_zone)


def right_columns(landed: Landed, truth: Shop, expected: Expected) -> dict[str, bool]:
    """Return per required column of the tables an export holds whether all its values are right."""
    return {**_orders(landed, truth, expected), **_items(landed, truth, expected), **_refunds(landed, truth, expected),
            **_people_and_goods(landed, truth, expected)}  # fmt: skip


def _orders(landed: Landed, truth: Shop, expected: Expected) -> dict[str, bool]:
    known = {expected.order_id(line): line for line in truth.sold}
    time = f"(try_cast(ordered_at as timestamp) at time zone 'UTC') at time zone '{landed.zone}'"
    rows = landed.rows(f"select ltrim(order_id, '#'), {time}, status, currency from landed.orders")
    there = {row[0]: row for row in rows}

    def is_then(row: tuple[Any, ...], line: Line) -> bool:
        if row[1] is None:
            return False
        if not expected.has_clock:
            return bool(row[1].date() == line.at.date())
        return bool(row[1] == line.at.replace(second=row[1].second) + dt.timedelta(hours=expected.utc_offset))

    is_same = len(rows) == len(known) and there.keys() == known.keys()
    return {
        "orders.order_id": is_same,
        "orders.ordered_at": is_same and all(is_then(row, known[order]) for order, row in there.items()),
        "orders.status": is_same and all(row[2] == expected.status(known[order]) for order, row in there.items()),
        "orders.currency": all(row[3] == expected.currency for row in rows),
    }


def _items(landed: Landed, truth: Shop, expected: Expected) -> dict[str, bool]:
    rows = landed.rows(
        "select ltrim(order_id, '#'), line_number, product_id, try_cast(quantity as double), try_cast(unit_price as double),"
        " coalesce(try_cast(discount_amount as double), 0) from landed.order_items"
    )
    sold = truth.sold

    def is_near(position: int, value: Callable[[Line], float], tolerance: float) -> bool:
        found = sorted((row[0], float(row[3]), float(row[position])) for row in rows)
        wanted = sorted((expected.order_id(line), float(line.quantity), value(line)) for line in sold)
        return len(found) == len(wanted) and all(
            a[:2] == b[:2] and abs(a[2] - b[2]) <= tolerance for a, b in zip(found, wanted, strict=True)
        )

    right = {
        "order_items.order_id": Counter(row[0] for row in rows) == Counter(map(expected.order_id, sold)),
        "order_items.line_number": len({row[:2] for row in rows}) == len(rows) == len(sold),
        "order_items.product_id": sorted(Counter(row[2] for row in rows).values())
        == sorted(Counter(line.code for line in sold).values()),
        "order_items.quantity": Counter((row[0], row[3]) for row in rows)
        == Counter((expected.order_id(line), line.quantity) for line in sold),
        "order_items.unit_price": is_near(4, lambda line: float(line.price), 0.02),
    }
    return right | (
        {"order_items.discount_amount": is_near(5, lambda line: float(line.discount), 0.02)}
        if expected.has_discount
        else {}
    )


def _refunds(landed: Landed, truth: Shop, expected: Expected) -> dict[str, bool]:
    if not expected.has_returns:
        return {}
    rows = landed.rows(
        "select ltrim(order_id, '#'), product_id, try_cast(amount as double), refund_id, try_cast(refunded_at as timestamp)"
        " from landed.refunds"
    )
    prices = {(line.order, line.code): float(line.price) for line in truth.returned}
    return {
        "refunds.refund_id": len({row[3] for row in rows}) == len(rows) == len(truth.returned),
        "refunds.refunded_at": all(row[4] is not None for row in rows),
        "refunds.amount": all(abs(row[2] - prices.get(row[:2], -1)) < 0.02 for row in rows),
    }


def _people_and_goods(landed: Landed, truth: Shop, expected: Expected) -> dict[str, bool]:
    people = landed.rows("select customer_id, created_at from landed.customers")
    goods = landed.rows("select product_id, name from landed.products")
    count = expected.customers or len({line.customer for line in truth.lines})
    return {
        "customers.customer_id": len(people) == count,
        "customers.created_at": all(created is not None for _, created in people),
        "products.product_id": len(goods) == len({line.code for line in truth.lines}),
        "products.name": all(name for _, name in goods),
    }
