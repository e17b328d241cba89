"""Short ways to write contract rows in tests: what is not said has a plain value."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import duckdb

CORE = "+path:models/core"
Tables = dict[str, list[dict[str, Any]]]


def order(order_id: str, ordered_at: str, **values: Any) -> dict[str, Any]:
    """One paid order in euro."""
    at = ordered_at if " " in ordered_at else f"{ordered_at} 12:00:00"
    return {"order_id": order_id, "ordered_at": at, "status": "paid", "currency": "EUR", **values}


def item(order_id: str, line_number: int = 1, product_id: str = "p", **values: Any) -> dict[str, Any]:
    """One line: one piece of `p` at 100."""
    return {"order_id": order_id, "line_number": line_number, "product_id": product_id,
            "quantity": 1, "unit_price": 100, **values}  # fmt: skip


def refund(refund_id: str, refunded_at: str, amount: Any, **values: Any) -> dict[str, Any]:
    """One refund line."""
    return {"refund_id": refund_id, "refunded_at": f"{refunded_at} 12:00:00", "amount": amount, **values}


def visit(session_id: str, started_at: str, **values: Any) -> dict[str, Any]:
    """One session of a visitor of the same name."""
    return {"session_id": session_id, "started_at": started_at, "visitor_id": f"visitor {session_id}", **values}


def in_one(stores: Mapping[str, Tables]) -> Tables:
    """Return the rows of several stores, told apart by `store_id`: one build costs as much as another, whatever it holds."""
    tables: Tables = {}
    for store, rows_by_table in stores.items():
        for name, rows in rows_by_table.items():
            tables.setdefault(name, []).extend({**row, "store_id": store} for row in rows)
    return tables


def records(con: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    """Return the rows of a query as dictionaries."""
    result = con.execute(query)
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def amounts(con: duckdb.DuckDBPyConnection, table: str, key: str, *columns: str) -> dict[Any, Any]:
    """Return column values by key, decimals as floats; a single column comes bare."""

    def plain(value: Any) -> Any:
        return float(value) if isinstance(value, Decimal) else value

    rows = con.execute(f"select {key}, {', '.join(columns)} from {table}").fetchall()
    return {row[0]: plain(row[1]) if len(columns) == 1 else tuple(map(plain, row[1:])) for row in rows}
