"""The same store under other touch rules and horizons: a variant is the run that would have had that setting.

One store is built twice, judged at 90 and at 45 days. Customers come by one channel and order by another, some costs
are unknown, guests and nameless refunds buy along, a campaign spends and converts nobody.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from tests.warehouse.harness import build
from tests.warehouse.rows import item, order, records, refund, visit

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb


FIRST_DAY = dt.date(2024, 1, 1)
LAST_DAY = 420
NEEDED = "+mart_decision_variant_units +mart_decision_units +mart_decision_evidence"
KINDS = ("channel", "campaign")
Tables = dict[str, list[dict[str, Any]]]


def at(day: int) -> str:
    return str(FIRST_DAY + dt.timedelta(day))


def ledger() -> Tables:
    """Every fourth day a customer comes by Paid Search and orders by Email 3 days later; others come by one channel.

    Who comes by Old or Young buys again after 20, 60 and 150 days; Old has stopped acquiring long ago.
    """
    tables: Tables = {"orders": [], "order_items": [], "sessions": [], "refunds": [], "marketing_spend": []}

    def sell(name: str, day: int, customer: str | None, cost: int | None = 60, **values: Any) -> None:
        if day > LAST_DAY:
            return
        costs = {"shipping_charged_amount": 5, "shipping_cost_amount": 4, "handling_cost_amount": 1,
                 "payment_fee_amount": 2}  # fmt: skip
        tables["orders"].append(order(name, at(day), customer_id=customer, **costs, **values))
        tables["order_items"].append(item(name, unit_price=100, unit_cost=cost))

    for day in range(0, LAST_DAY - 10, 4):
        customer = f"c{day}"
        tables["sessions"].append(
            visit(f"ad {day}", f"{at(day)} 09:00:00", customer_id=customer, channel="Paid Search", campaign="brand")
        )
        tables["sessions"].append(
            visit(f"mail {day}", f"{at(day + 3)} 09:00:00", customer_id=customer, channel="Email", campaign="weekly")
        )
        sell(f"{customer} 1", day + 3, customer, None if day % 20 == 0 else 60, session_id=f"mail {day}")
        if day % 12 == 0:
            sell(f"{customer} 2", day + 40, customer)
        if day % 8 == 0:
            sell(f"{customer} 3", day + 130, customer)
            tables["refunds"].append(refund(f"of {customer}", at(day + 10), 30, order_id=f"{customer} 1"))
        if day % 16 == 0:
            sell(f"guest {day}", day, None)
    for channel, days in (("Old", range(185, 200, 2)), ("Young", range(201, LAST_DAY + 1, 6))):
        for day in days:
            for number, later in enumerate((0, 20, 60, 150)):
                sell(f"{channel} {day} {number}", day + later, f"{channel} {day}", channel=channel)
    tables["refunds"].append(refund("of nobody", at(250), 9, product_id="p"))
    for day in range(0, LAST_DAY, 7):
        for channel, campaign, amount in (("Paid Search", "brand", 70), ("Display", "banner", 11)):
            tables["marketing_spend"].append({"spend_date": at(day), "channel": channel, "campaign": campaign,
                                              "spend_amount": amount, "currency": "EUR"})  # fmt: skip
    return tables


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """Return the store judged at 90 days, with the marts of the one judged at 45 days copied to `run45`."""
    tables = ledger()
    shorter = build(tables, select=NEEDED, vars={"horizon_days": 45})
    names = [f"mart_decision_{name}" for name in ("variants", "variant_units", "units", "evidence")]
    marts = {name: shorter.sql(f"select * from marts.{name}").to_arrow_table() for name in names}
    shorter.close()
    connection = build(tables, select=NEEDED)
    connection.execute("attach ':memory:' as run45")
    connection.execute("create schema run45.marts")
    for name, rows in marts.items():
        connection.register("rows", rows)
        connection.execute(f"create table run45.marts.{name} as select * from rows")
        connection.unregister("rows")
    yield connection
    connection.close()


def variants(con: duckdb.DuckDBPyConnection, rule: str, days: int, run: str = "") -> list[dict[str, Any]]:
    """Return a variant's rows as evidence rows, channels and campaigns."""
    kinds = " union all ".join(
        f"select '{kind}' as unit_kind, {rule}_{kind} as unit_id, cast(subject_key as varchar) as subject_key,"
        f" net_revenue_amount, cm2_amount, unknown_cost_revenue_amount, has_repeated from {run}marts.mart_decision_variants"
        f" where horizon_days = {days} and {rule}_{kind} is not null"
        for kind in KINDS
    )
    return records(con, f"{kinds} order by all")


def evidence(con: duckdb.DuckDBPyConnection, run: str = "") -> list[dict[str, Any]]:
    return records(
        con,
        "select unit_kind, unit_id, cast(subject_key as varchar) as subject_key, net_revenue_amount, cm2_amount,"
        f" unknown_cost_revenue_amount, has_repeated from {run}marts.mart_decision_evidence where unit_kind in {KINDS} order by all",
    )


def units(con: duckdb.DuckDBPyConnection, rule: str, days: int) -> dict[str, dict[str, Any]]:
    rows = records(
        con,
        f"select * from marts.mart_decision_variant_units where touch_rule = '{rule}' and horizon_days = {days}",
    )
    return {row["unit_id"]: row for row in rows}


def test_first_touch_at_the_configured_horizon_is_the_evidence_row_by_row(con: duckdb.DuckDBPyConnection) -> None:
    assert len(evidence(con)) > 150
    assert variants(con, "first", 90) == evidence(con)
    assert variants(con, "first", 45, "run45.") == evidence(con, "run45.")


def test_a_variant_is_what_a_run_with_that_horizon_finds(con: duckdb.DuckDBPyConnection) -> None:
    assert variants(con, "first", 90, "run45.") == evidence(con)
    assert variants(con, "last", 90, "run45.") == variants(con, "last", 90)
    listed = records(con, "select distinct horizon_days from run45.marts.mart_decision_variants order by all")
    assert [row["horizon_days"] for row in listed] == [30, 45, 90, 180]
    same = "unit_kind, unit_id, is_paid, has_spend, spend_amount, window_start_date, window_end_date, as_of_date"
    judged = records(con, f"select {same} from marts.mart_decision_units where unit_kind in {KINDS} order by all")
    assert judged == records(
        con,
        f"select {same} from run45.marts.mart_decision_variant_units"
        " where touch_rule = 'first' and horizon_days = 90 order by all",
    )


def test_last_touch_moves_customers_and_neither_money_nor_spend(con: duckdb.DuckDBPyConnection) -> None:
    for days in (30, 90, 180):
        first, last = units(con, "first", days), units(con, "last", days)
        assert first["Paid Search"]["customers_count"] == last["Email"]["customers_count"] > 12
        assert (last["Paid Search"]["customers_count"], last["Paid Search / brand"]["customers_count"]) == (0, 0)
        assert first["Paid Search"]["cm2_amount"] == last["Email / weekly"]["cm2_amount"]
        assert first["Paid Search"]["spend_amount"] == last["Paid Search"]["spend_amount"] > 0
        assert first["Old"]["net_revenue_amount"] == last["Old"]["net_revenue_amount"]


def test_costs_are_those_inside_the_margin(con: duckdb.DuckDBPyConnection) -> None:
    rows = records(
        con,
        "select cm2_amount, cost_amount, net_revenue_amount, unknown_cost_revenue_amount"
        " from marts.mart_decision_variants where horizon_days = 30 and first_channel = 'Paid Search'",
    )
    whole = [row for row in rows if not row["unknown_cost_revenue_amount"] and row["net_revenue_amount"] == 100]
    assert {(row["cm2_amount"], row["cost_amount"]) for row in whole} == {(38, 67)}
    unknown = [row for row in rows if row["unknown_cost_revenue_amount"] == row["net_revenue_amount"]]
    assert {(row["cm2_amount"], row["cost_amount"]) for row in unknown} == {(0, 0)}


def test_equal_processes_of_different_age_give_equal_variants(con: duckdb.DuckDBPyConnection) -> None:
    """Who is too young for a horizon is not in it: a young channel would read as one that earns and repeats less."""
    for days, orders in ((30, 2), (90, 3), (180, 4)):
        rows = records(
            con,
            "select first_channel, net_revenue_amount, has_repeated, count(*) as n from marts.mart_decision_variants"
            f" where horizon_days = {days} and first_channel in ('Old', 'Young') group by all",
        )
        assert {row["first_channel"] for row in rows} == {"Old", "Young"}
        assert len(rows) == 2
        assert {(row["net_revenue_amount"], row["has_repeated"]) for row in rows} == {(100 * orders, True)}


def test_what_spends_and_converts_nobody_is_in_every_variant(con: duckdb.DuckDBPyConnection) -> None:
    for rule in ("first", "last"):
        for days in (30, 90, 180):
            found = units(con, rule, days)
            for name in ("Display", "Display / banner"):
                assert (found[name]["customers_count"], found[name]["net_revenue_amount"]) == (0, 0)
                assert found[name]["spend_amount"] > 0
            assert found["Guests"]["customers_count"] > 2
            assert found["Guests"]["repeated_customers_count"] == 0
