"""Online Retail 2010-11 from its raw file: the bridge reckoned again from the file, and the published figures."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from marginwise.engine.duckdb import open_warehouse
from tests.beginnings import RETAIL, Beginnings
from tests.warehouse.rows import records

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb


ROOT = Path(__file__).resolve().parents[2]
FILE = "online_retail_2010_2011.parquet"
# the steps of the bridge in the file's own terms, the first that fits
STEPS = """
    with rows as (
        select *, "Quantity" * "UnitPrice" as amount, upper("InvoiceNo") like 'C%' as is_cancellation,
            upper("StockCode") in ('POST', 'DOT', 'C2', 'M', 'D', 'S', 'PADS', 'AMAZONFEE', 'BANK CHARGES', 'CRUK')
            or upper("StockCode") like 'GIFT%' as is_no_product
        from '{file}'
    ), sales as (
        select "CustomerID" as customer, "StockCode" as code, min("InvoiceDate") as first_at from rows
        where not is_cancellation and "CustomerID" is not null and "Quantity" > 0 group by all
    ), steps as (
        select rows.*, case
            when "StockCode" = 'B' then 'Bad debt'
            when "UnitPrice" = 0 then 'Zero price'
            when is_no_product then 'Fees and other non-product codes'
            when is_cancellation and first_at <= "InvoiceDate" then 'Cancellations with an earlier sale'
            when is_cancellation then 'Cancellations without an earlier sale'
            else 'Gross product sales' end as step
        from rows left join sales on rows."CustomerID" = sales.customer and rows."StockCode" = sales.code
    )
    select step, round(sum(amount), 4) as amount, count(*) as row_count from steps group by step
"""


@pytest.fixture(scope="module")
def con(shared_data: Path, beginnings: Beginnings) -> Iterator[duckdb.DuckDBPyConnection]:
    assert (shared_data / "uci_online_retail" / FILE).is_file()
    folder, outcomes = beginnings.shared(RETAIL)
    assert [outcome.code for outcome in outcomes] == [0, 0], outcomes
    connection = open_warehouse(folder / "retail" / ".marginwise" / "warehouse.duckdb", read_only=True)
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def bridge(con: duckdb.DuckDBPyConnection) -> dict[str, dict[str, Any]]:
    rows = records(con, "select * from marts.mart_margin_bridge order by step_order")
    return {row["step"]: row for row in rows}


def test_all_rows_are_loaded_or_quarantined(con: duckdb.DuckDBPyConnection) -> None:
    landed = """select sum(rows_in) as n, sum(rows_loaded + rows_quarantined) as told from ops.table_grades
        where table_name in ('order_items', 'refunds')"""
    assert records(con, landed) == [{"n": 541_909, "told": 541_909}]
    assert records(con, "select count(distinct order_id) as n from checks.chk_orders") == [{"n": 25_900 - 3_836}]


def test_the_bridge_is_exclusive_in_the_order_told_and_closes(
    con: duckdb.DuckDBPyConnection, bridge: dict[str, dict[str, Any]], shared_data: Path
) -> None:
    file = shared_data / "uci_online_retail" / FILE
    expected = {row["step"]: row for row in records(con, STEPS.format(file=file))}
    assert float(bridge["Raw total"]["amount"]) == 9_747_747.934
    assert bridge["Raw total"]["row_count"] == 541_909
    order = [step for step in bridge if step in expected]
    assert order == ["Bad debt", "Zero price", "Fees and other non-product codes", "Cancellations with an earlier sale",
                     "Cancellations without an earlier sale", "Gross product sales"]  # fmt: skip
    for step, row in expected.items():
        sign = 1 if step == "Gross product sales" else -1
        assert (sign * float(bridge[step]["amount"]), bridge[step]["row_count"]) == (row["amount"], row["row_count"]), (
            step
        )
    leaving = sum(bridge[step]["amount"] for step in order[:-1])
    assert bridge["Raw total"]["amount"] + leaving == bridge["Gross product sales"]["amount"]
    assert bridge["Void and test orders"]["row_count"] == 0
    assert not any(step.startswith("Quarantined") for step in bridge)


def test_duplicates_and_unknown_customers_stay_in_revenue_as_memo_lines(bridge: dict[str, dict[str, Any]]) -> None:
    for step in ("of which exact duplicates", "of which unknown customers"):
        assert bridge[step]["step_kind"] == "memo"
        assert bridge[step]["amount"] > 0


def test_no_margin_is_claimed_where_no_cost_is_known(bridge: dict[str, dict[str, Any]]) -> None:
    assert bridge["Net revenue of goods whose cost is unknown"]["amount"] == -bridge["Net revenue"]["amount"]
    assert [bridge[step]["amount"] for step in ("CM1", "CM2", "Marketing spend", "CM3")] == [None] * 4


def test_the_published_figures_come_out_of_the_documented_query(con: duckdb.DuckDBPyConnection) -> None:
    found = records(con, (ROOT / "docs" / "queries" / "online_retail_cleaned.sql").read_text())[0]
    assert (found["lines_count"], found["customers_count"], found["invoices_count"]) == (397_884, 4_338, 18_532)
    assert float(found["line_amount"]) == 8_911_407.904
    assert [found[f"month_{month}_count"] for month in range(5)] == [885, 324, 286, 340, 321]
    assert found["judged_customers_count"] == 3_370
    rates = [round(found[name], 3) for name in ("repeat_30d_rate", "repeat_90d_rate", "repeat_ever_rate")]
    assert rates == [0.188, 0.455, 0.739]


def test_first_orders_of_the_first_days_are_no_new_customers(con: duckdb.DuckDBPyConnection) -> None:
    cohorts = records(con, "select * from marts.mart_channel_cohorts order by cohort_month_date")
    december = cohorts[0]
    assert december["cohort_month_date"] == dt.date(2010, 12, 1)
    assert december["customers_count"] == 0
    assert december["censored_customers_count"] > 850
    entered = records(
        con, "select min(entered_date) as first_day from marts.mart_decision_evidence where unit_kind = 'channel'"
    )
    assert entered[0]["first_day"] >= dt.date(2011, 3, 1)
