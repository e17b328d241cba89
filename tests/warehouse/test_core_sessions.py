"""Sessions and their funnel: ordered, idle gaps, grace, and what is still open."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from tests.warehouse.harness import build
from tests.warehouse.rows import amounts, in_one, item, order, records, visit

DAY = "2024-03-10"


def event(
    number: int, event_type: str, time: str, session_id: str | None = None, visitor_id: str = "v", **values: Any
) -> dict[str, Any]:
    moment = time if len(time) > 8 else f"{DAY} {time}:00"
    return {"event_id": f"e{number:03}", "occurred_at": moment, "event_type": event_type, "visitor_id": visitor_id,
            "session_id": session_id, **values}  # fmt: skip


EVENTS = [
    *[
        event(n, kind, f"10:0{n}", "all steps")
        for n, kind in enumerate(["view", "add_to_cart", "checkout", "purchase"])
    ],
    event(10, "view", "11:00", "viewed"),
    event(11, "purchase", "11:00", "bought at once"),
    event(12, "add_to_cart", "12:00", "backwards"),
    event(13, "view", "12:05", "backwards"),
    event(14, "add_to_cart", "13:00", "cart twice"),
    event(15, "view", "13:01", "cart twice"),
    event(16, "add_to_cart", "13:02", "cart twice"),
    event(17, "add_to_cart", "2024-03-14 09:00:00", "open"),
    event(18, "view", "10:00", "days long"),
    event(19, "purchase", "2024-03-12 10:00:00", "days long"),
    event(20, "view", "2024-03-14 10:00:00", "open but bought"),
    event(21, "purchase", "2024-03-14 10:01:00", "open but bought"),
]
SESSIONS = [
    *[visit(name, f"{DAY} 09:59:00") for name in ("all steps", "viewed", "bought at once", "backwards", "cart twice", "days long",
                                                  "no events", "order only")],
    visit("open", "2024-03-14 09:00:00"),
    visit("open but bought", "2024-03-14 10:00:00"),
    visit("last", "2024-03-15 08:00:00"),
]  # fmt: skip
STEPS = ("has_viewed", "has_added_to_cart", "has_checked_out", "has_purchased")
ONLY_EVENTS = [
    event(1, "view", "10:00"), event(2, "add_to_cart", "10:30"), event(3, "view", "11:01"),
    event(4, "view", "10:10", visitor_id="w"), event(5, "purchase", "10:12", visitor_id="w", customer_id="wanda"),
    event(6, "view", "15:00", "named", visitor_id="x"), event(7, "view", "18:00", "named", visitor_id="x"),
]  # fmt: skip
ORDER = {"orders": [order("o", DAY, session_id="order only")], "order_items": [item("o")]}


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    stores = {
        "both": {**ORDER, "sessions": SESSIONS, "events": EVENTS},
        "only events": {**ORDER, "events": ONLY_EVENTS},
        "only sessions": {**ORDER, "sessions": SESSIONS},
    }
    return build(in_one(stores), select="+fct_sessions +fct_events")


def sessions(con: duckdb.DuckDBPyConnection, *columns: str, store: str = "both") -> dict[Any, Any]:
    return amounts(con, f"core.fct_sessions where store_id = '{store}'", "session_id", *columns)


def test_a_later_step_implies_the_earlier_ones(con: duckdb.DuckDBPyConnection) -> None:
    steps = sessions(con, *STEPS)
    assert steps["all steps"] == steps["bought at once"] == steps["order only"] == (True, True, True, True)
    assert steps["viewed"] == (True, False, False, False)
    assert steps["no events"] == (False, False, False, False)
    assert steps["days long"] == (True, False, False, False)  # a purchase two days on is not this session's


def test_out_of_order_is_told_apart(con: duckdb.DuckDBPyConnection) -> None:
    flags = sessions(con, "is_out_of_order")
    assert [name for name, value in flags.items() if value] == ["backwards"]


def test_open_sessions_are_pending_not_lost(con: duckdb.DuckDBPyConnection) -> None:
    pending = sessions(con, "is_pending")
    assert sorted(name for name, value in pending.items() if value) == ["last", "open"]


def test_without_sessions_they_are_built_from_events(con: duckdb.DuckDBPyConnection) -> None:
    columns = ("visitor_id", "has_added_to_cart", "has_purchased", "customer_id")
    built = sessions(con, *columns, store="only events")
    assert built == {
        "from e001": ("v", True, False, None),
        "from e003": ("v", False, False, None),
        "from e004": ("w", True, True, "wanda"),
        "named": ("x", False, False, None),
    }
    keyed = records(
        con,
        "select count(*) as n from core.fct_events as events inner join core.fct_sessions using (session_key)"
        " where events.store_id = 'only events'",
    )
    assert keyed[0]["n"] == len(ONLY_EVENTS)


def test_without_events_steps_are_not_known(con: duckdb.DuckDBPyConnection) -> None:
    steps = sessions(con, *STEPS, store="only sessions")
    assert steps["viewed"] == (None, None, None, None)
    assert steps["order only"] == (True, True, True, True)
