"""Can an analyst find again what was planted beside the margins?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pytest

from marginwise.demo.knobs import Knobs
from marginwise.demo.store import generate_tables, generate_truth

if TYPE_CHECKING:
    import pyarrow as pa

    from marginwise.demo.truth import StoreTruth
    from tests.demo.conftest import Store

SALES = "orders where status not in ('void', 'cancelled') and not is_test"


@dataclass(frozen=True)
class Large:
    """A store without visits, large enough to estimate from: its tables, its truth and its customers' truth."""

    con: duckdb.DuckDBPyConnection
    truth: StoreTruth
    customers: pa.Table

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.con.execute(query).fetchall()


@pytest.fixture(scope="module")
def large() -> Large:
    plan = Knobs(visits_per_order=0.0).plan()
    tables, truth = generate_tables(orders=40_000, plan=plan)
    again, customers = generate_truth(orders=40_000, plan=plan)
    assert again.units == truth.units
    con = duckdb.connect()
    for name, table in {**tables, "truth_customers": customers}.items():
        con.register(name, table)
    con.execute(f"create table sales as select *, ordered_at::date as day from {SALES}")
    return Large(con, truth, customers)


def test_every_customer_has_a_persona_in_the_planted_share(large: Large) -> None:
    drawn = dict(large.rows("select persona::varchar, count(*) from truth_customers group by all"))
    everyone = sum(drawn.values())
    assert large.rows("select count(distinct customer_id) from sales")[0][0] == everyone
    for persona in large.truth.personas:
        share = persona["expected_share_rate"]
        error = np.sqrt(share * (1 - share) / everyone)
        assert drawn[persona["name"]] == persona["realised_customers_count"]
        assert drawn[persona["name"]] / everyone == pytest.approx(share, abs=4 * error)


def test_personas_repeat_as_often_as_planted(large: Large) -> None:
    window = f"first_order_date between date '{large.truth.window_start_date}' and date '{large.truth.window_end_date}'"
    seen = {name: (rate, n) for name, rate, n in large.rows(
        f"select persona::varchar, avg(has_repeated::int), count(*) from truth_customers where {window} group by all")}  # fmt: skip
    for persona in large.truth.personas:
        rate, count = seen[persona["name"]]
        planted = persona["expected_repeat_rate"]
        assert rate == pytest.approx(persona["realised_repeat_rate"], abs=1e-6)
        assert rate == pytest.approx(planted, abs=4 * np.sqrt(planted * (1 - planted) / count))


def test_customers_drop_out_after_later_orders_as_planted(large: Large) -> None:
    query = """
        select persona::varchar, sum(orders_count - 1) as chances,
            sum(orders_count - 2 + (not is_dropped_out)::int) as returns
        from truth_customers where orders_count >= 2 group by all
    """
    for persona, chances, returns in large.rows(query):
        go_on = large.truth.dropout["after_later_orders"][persona]
        assert returns / chances == pytest.approx(go_on, abs=4 * np.sqrt(go_on * (1 - go_on) / chances)), persona


def test_customers_drop_out_after_the_first_order_as_planted(large: Large) -> None:
    query = """
        select origin::varchar, persona::varchar, count(*), sum((orders_count > 1 or not is_dropped_out)::int)
        from truth_customers group by all
    """
    rows = large.rows(query)
    expected = sum(
        count * large.truth.dropout["after_first_order"][origin][persona] for origin, persona, count, _ in rows
    )
    assert sum(came_back for *_, came_back in rows) == pytest.approx(expected, abs=4 * np.sqrt(expected))


def test_the_truth_of_customers_is_what_the_orders_say(large: Large) -> None:
    query = """
        select count(*) from truth_customers as t
        join (select customer_id, count(*) as n, min(day) as first_day, max(day) as last_day from sales group by all) as s
            using (customer_id)
        where (t.orders_count, t.first_order_date, t.last_order_date) is distinct from (s.n, s.first_day, s.last_day)
    """
    assert large.rows(query) == [(0,)]
    active = large.rows(
        "select min(next_order_date), bool_or(is_dropped_out) from truth_customers where next_order_date is not null"
    )
    assert active[0][0] > large.truth.last_day
    assert active[0][1] is False


def test_free_goods_customers_buy_nothing_without_a_free_piece(large: Large) -> None:
    query = """
        select t.persona = 'free-goods buyer', avg((i.free_quantity > 0)::int), count(*)
        from order_items as i join sales using (order_id) join truth_customers as t using (customer_id) group by all
    """
    shares = {depends: share for depends, share, _ in large.rows(query)}
    assert shares[True] == 1.0
    assert 0.01 < shares[False] < 0.06
    told = large.truth.shares
    assert told["free_goods_customers_rate"] == pytest.approx(0.05, abs=0.02)


def test_pairs_are_bought_together_with_the_planted_lift(large: Large) -> None:
    large.con.execute("""
        create or replace table baskets as
        select distinct order_id, product_id::varchar as product_id
        from order_items join sales using (order_id) where customer_id is not null
    """)
    orders = large.rows("select count(distinct order_id) from baskets")[0][0]
    assert len(large.truth.pairs) >= 5
    for pair in large.truth.pairs:
        first, second = pair["first_product_id"], pair["second_product_id"]
        one, other, both = large.rows(f"""
            select sum(a::int), sum(b::int), sum((a and b)::int) from (
                select bool_or(product_id = '{first}') as a, bool_or(product_id = '{second}') as b from baskets group by order_id
            )
        """)[0]
        error = 4 / np.sqrt(both)
        assert both / orders == pytest.approx(pair["expected_support_rate"], rel=error), pair["names"]
        assert both * orders / (one * other) == pytest.approx(pair["expected_lift"], rel=error + 0.05), pair["names"]
        assert pair["expected_lift"] > 2


def test_demand_follows_the_weather_with_the_planted_strength(large: Large) -> None:
    """Log first orders of a day on temperature, rain, season, weekday and trend, as an analyst would."""
    weights = large.truth.weather["city_weights"]
    large.con.register("weights", _table(weights))
    days = np.array(large.rows("""
        select n, temperature, rain, day from (
            select w.date as day, sum(temperature_celsius * weight) as temperature, sum(precipitation_mm * weight) as rain
            from weather as w join weights using (city) group by all
        ) join (select first_day as day, count(*) as n from (
            select customer_id, min(day) as first_day from sales where customer_id is not null group by all
        ) group by all) using (day) order by day
    """), dtype=object)  # fmt: skip
    when = [day.timetuple() for day in days[:, 3]]
    year = np.array([t.tm_yday for t in when]) / 365.25
    weekday = np.eye(7)[[t.tm_wday for t in when]]
    waves = [wave(2 * np.pi * k * year) for k in (1, 2, 3) for wave in (np.cos, np.sin)]
    sale = np.array([(t.tm_mon, t.tm_mday) >= (11, 24) and (t.tm_mon, t.tm_mday) <= (11, 30) for t in when])
    features = np.column_stack([days[:, 1:3].astype(float), weekday, np.arange(len(year)), sale, *waves])
    counts = days[:, 0].astype(float)
    usual = np.abs(np.log(counts) - np.log(np.median(counts))) < 1.2
    found = np.linalg.lstsq(features[usual], np.log(counts[usual]), rcond=None)[0]
    assert found[0] == pytest.approx(large.truth.weather["log_change_per_degree"], abs=0.007)
    assert found[1] == pytest.approx(large.truth.weather["log_change_per_millimetre"], abs=0.010)


def _table(weights: dict[str, float]) -> pa.Table:
    import pyarrow as pa

    return pa.table({"city": list(weights), "weight": list(weights.values())})


def anomaly(truth: StoreTruth, kind: str) -> tuple[date, date]:
    told = next(item for item in truth.anomalies if item["kind"] == kind)
    return date.fromisoformat(told["first_date"]), date.fromisoformat(told["last_date"])


def test_fees_spike_on_the_named_days(large: Large) -> None:
    start, end = anomaly(large.truth, "fee_spike")
    query = f"""
        select day between date '{start}' and date '{end}' as named, sum(fee_amount) / sum(amount)
        from payments join sales using (order_id)
        where day between date '{start - timedelta(days=30)}' and date '{end + timedelta(days=30)}' group by all
    """
    rates = dict(large.rows(query))
    assert rates[True] / rates[False] == pytest.approx(5, rel=0.1)


def test_refunds_come_in_a_wave_on_the_named_day(large: Large) -> None:
    day, _ = anomaly(large.truth, "refund_wave")
    query = """
        select refunded_at::date as day, count(*) as n from refunds
        where product_id in (select product_id from products where category = 'Electronics') group by all
    """
    counts = dict(large.rows(query))
    assert counts[day] > 10 * np.median(list(counts.values()))
    assert max(counts, key=lambda key: counts[key]) == day


def test_first_orders_spike_on_the_named_day_in_the_named_channels(large: Large) -> None:
    day, _ = anomaly(large.truth, "demand_spike")
    counts = dict(large.rows("""
        select first_order_date, count(*) from truth_customers where origin in ('Direct', 'Organic Search') group by all
    """))  # fmt: skip
    assert counts[day] > 3.5 * np.median(list(counts.values()))


def test_no_visit_is_recorded_while_tracking_is_out(clean_store: Store) -> None:
    con, truth = clean_store
    day, _ = anomaly(truth, "tracking_outage")
    visits = dict(con.execute("select started_at::date, count(*) from sessions group by all").fetchall())
    assert visits.get(day, 0) <= 1  # the visit of an order just after midnight may have begun before it
    assert visits[day - timedelta(days=1)] > 20


def test_partners_are_as_good_as_planted(large: Large) -> None:
    query = """
        with owners as (select distinct product_id, partner_id::varchar as partner_id from products),
        lines as (
            select o.partner_id, x_delivered_on, x_promised_on, f.refund_id
            from order_items as i join sales using (order_id) join owners as o on o.product_id = i.product_id
            left join refunds as f on f.order_id = i.order_id and f.line_number = i.line_number
        )
        select partner_id, count(*), avg((x_delivered_on > x_promised_on)::int), avg((refund_id is not null)::int)
        from lines group by all
    """
    seen = {partner: values for partner, *values in large.rows(query)}
    for partner in large.truth.partners:
        lines, late, returned = seen[partner["partner_id"]]
        assert lines == partner["realised_lines_count"]
        assert late == pytest.approx(partner["realised_late_rate"], abs=1e-6)
        planted = partner["expected_late_rate"]
        assert late == pytest.approx(planted, abs=4 * np.sqrt(planted / lines))
        assert returned == pytest.approx(partner["expected_return_rate"], rel=0.25)
        assert 0 < partner["realised_margin_rate"] < 0.6
    rates = {partner["name"]: partner["expected_return_rate"] for partner in large.truth.partners}
    assert rates["Seller Brook"] > 1.5 * rates["Seller Dune"]


def test_customers_respond_to_spend_with_the_planted_exponent(large: Large) -> None:
    """Log weekly customers of a campaign, against those of channels without spend, on log weekly spend."""
    curve = next(item for item in large.truth.responses if item["campaign"] == "search_generic")
    rows = np.array(large.rows("""
        select n, control, spend from (
            select date_trunc('week', first_order_date) as week, sum((origin = 'search_generic')::int) as n,
                sum((origin in ('Organic Search', 'Direct', 'newsletter_weekly', 'welcome_series'))::int) as control
            from truth_customers group by all
        ) join (
            select date_trunc('week', spend_date) as week, sum(spend_amount)::double as spend
            from marketing_spend where campaign = 'search_generic' group by all
        ) using (week) where n > 5
    """), dtype=float)  # fmt: skip
    spread = np.log(rows[:, 2] / rows[:, 1])
    slope = np.polyfit(spread, np.log(rows[:, 0] / rows[:, 1]), 1)[0]
    assert np.std(spread) > 0.2
    assert slope == pytest.approx(curve["elasticity"], abs=0.15)
    assert curve["marginal_return_rate"] == pytest.approx(
        curve["elasticity"] * curve["expected_earned_amount"] / curve["spend_amount"] - 1, abs=1e-3
    )


def test_the_best_spend_of_a_campaign_is_where_its_margin_is_largest(large: Large) -> None:
    for curve in large.truth.responses:
        factor = np.linspace(0.001, 10, 20_000)
        margin = curve["expected_earned_amount"] * factor ** curve["elasticity"] - curve["spend_amount"] * factor
        assert curve["best_margin_amount"] == pytest.approx(margin.max(), rel=0.01, abs=5), curve["campaign"]
        assert curve["best_spend_factor"] == pytest.approx(factor[margin.argmax()], abs=0.01), curve["campaign"]


def test_what_nobody_owns_has_the_planted_share(large: Large) -> None:
    shares = large.truth.shares
    lost, customers = large.rows("""
        with firsts as (
            select channel from sales where customer_id is not null
            qualify row_number() over (partition by customer_id order by ordered_at) = 1
        )
        select count(*) filter (where channel is null), count(*) from firsts
    """)[0]
    assert lost / customers == pytest.approx(shares["realised_unassigned_customers_rate"], abs=1e-6)
    error = np.sqrt(0.03 * 0.97 / customers)
    assert lost / customers == pytest.approx(shares["expected_unassigned_customers_rate"], abs=4 * error)
    untagged, spend = (large.truth.totals[name] for name in ("untagged_spend_amount", "spend_amount"))
    assert shares["untagged_spend_rate"] == pytest.approx(untagged / spend, abs=1e-5)
    assert shares["untagged_spend_rate"] == pytest.approx(0.105 / 1.105, abs=0.01)


def test_the_share_of_unassigned_customers_is_the_one_asked_for() -> None:
    for share in (0.0, 0.2, 0.5):
        truth, customers = generate_truth(orders=4_000, plan=Knobs(unassigned_share=share, visits_per_order=0.0).plan())
        assert truth.shares["expected_unassigned_customers_rate"] == pytest.approx(share, abs=0.02)
        traced = customers["traced_channel"].to_pylist()
        assert traced.count("Unassigned") / len(traced) == pytest.approx(share, abs=0.04)


def test_untagged_spend_is_in_the_channels_and_in_no_campaign(large: Large) -> None:
    query = """
        select channel::varchar, sum(spend_amount) from marketing_spend where campaign = '(none)' group by all
    """
    untagged = dict(large.rows(query))
    assert set(untagged) == {"Paid Search", "(unknown)", "Podcast"}
    assert float(sum(untagged.values())) == pytest.approx(large.truth.totals["untagged_spend_amount"], abs=0.01)
    units = {(unit.unit_kind, unit.unit_name): unit for unit in large.truth.units}
    assert units["channel", "Podcast"].realised_customers_count == 0
    assert units["channel", "Unassigned"].spend_amount > 0
    campaigns = sum(
        u.spend_amount or 0 for u in large.truth.units if u.channel_name == "Paid Search" and u.unit_kind == "campaign"
    )
    assert units["channel", "Paid Search"].spend_amount > campaigns
