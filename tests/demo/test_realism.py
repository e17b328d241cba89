"""Would somebody who knows shops believe these numbers?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.demo.conftest import Store


def one(store: Store, query: str) -> Any:
    rows = store[0].execute(query).fetchall()
    assert len(rows) == 1
    return rows[0][0] if len(rows[0]) == 1 else rows[0]


def test_the_asked_number_of_orders_within_chance(clean_store: Store) -> None:
    assert clean_store[1].totals["orders_count"] == pytest.approx(6000, rel=0.05)


def test_the_shop_grows_and_has_a_season(clean_store: Store) -> None:
    growth = one(
        clean_store,
        "select sum((year(ordered_at) = 2025)::int) / sum((year(ordered_at) = 2024)::int) from orders",
    )
    assert 1.15 < growth < 1.9
    season = one(
        clean_store,
        "select sum((month(ordered_at) in (11, 12))::int) / sum((month(ordered_at) in (6, 7))::int) from orders",
    )
    assert season > 1.2
    night = one(clean_store, "select avg((hour(ordered_at) < 6)::int) from orders")
    assert night < 0.06


def test_baskets_have_a_heavy_tail(clean_store: Store) -> None:
    query = """
        with baskets as (select sum(unit_price * quantity) as amount from order_items group by order_id)
        select avg(amount) / median(amount), quantile_cont(amount, 0.99) / median(amount), median(amount) from baskets
    """
    mean, top, median = one(clean_store, query)
    assert mean > 1.25
    assert top > 5
    assert 30 < median < 90


def test_rare_things_are_rare_and_there(clean_store: Store) -> None:
    shares = {
        "select avg((customer_id is null)::int) from orders where not is_test": (0.02, 0.05),
        "select avg((status = 'void')::int) from orders": (0.001, 0.012),
        "select count(*) filter (where is_test) / count(*) from orders": (0.0003, 0.006),
        "select avg((status = 'cancelled')::int) from orders": (0.015, 0.04),
        "select avg((currency = 'GBP')::int) from orders": (0.04, 0.09),
        "select avg((discount_amount > 0)::int) from orders": (0.08, 0.30),
        "select avg((free_quantity > 0)::int) from order_items": (0.01, 0.10),
        "select count(*) / (select count(*) from order_items) from refunds": (0.05, 0.16),
        "select avg((order_id is null)::int) from refunds": (0.005, 0.06),
        "select avg((kind = 'chargeback')::int) from refunds": (0.01, 0.09),
        "select avg((payment_number = 2)::int) from payments": (0.04, 0.12),
        "select avg((source is null)::int) from sessions": (0.03, 0.09),
        "select avg((session_id is null)::int) from orders where not is_test and status not in ('void', 'cancelled')": (
            0.03,
            0.13,
        ),
    }
    for query, (low, high) in shares.items():
        assert low < float(one(clean_store, query)) < high, query


def test_untagged_and_declared_visits(clean_store: Store) -> None:
    assert one(clean_store, "select count(*) from sessions where (source is null) <> (medium is null)") == 0
    assert one(clean_store, "select list(distinct channel) from sessions where channel is not null") == ["Influencer"]
    assert one(clean_store, "select bool_and(is_paid) from sessions where channel = 'Influencer'") is True
    missing = """
        select list(distinct campaign) from sessions
        where is_paid and campaign not in (select campaign from marketing_spend)
    """
    assert one(clean_store, missing) == ["creator_spring"]
    assert one(clean_store, "select list(distinct currency order by currency) from marketing_spend") == ["EUR", "GBP"]


def test_every_line_has_a_cost_that_changes_over_time(clean_store: Store) -> None:
    query = """
        select count(*) from order_items join orders using (order_id)
        asof left join product_costs as c on c.product_id = order_items.product_id and c.valid_from <= orders.ordered_at
        where c.unit_cost is null
    """
    assert one(clean_store, query) == 0
    assert (
        one(
            clean_store,
            "select avg(versions) from (select count(*) as versions from product_costs group by product_id)",
        )
        > 2
    )


def test_versions_and_dated_values_agree(clean_store: Store) -> None:
    for table, column in (("product_costs", "unit_cost"), ("product_prices", "list_price")):
        query = f"""
            select count(*) from products as p
            asof left join {table} as d on d.product_id = p.product_id and d.valid_from <= p.updated_at
            where d.{column} is distinct from p.{column}
        """
        assert one(clean_store, query) == 0


def test_unit_price_is_the_list_price_after_a_sale(clean_store: Store) -> None:
    query = """
        select min(unit_price / list_price), max(unit_price / list_price), avg((unit_price < list_price)::int)
        from order_items join orders using (order_id)
        asof join product_prices as p on p.product_id = order_items.product_id and p.valid_from <= orders.ordered_at
        where orders.currency = 'EUR'
    """
    low, high, share = one(clean_store, query)
    assert 0.79 < low < 0.81
    assert high == 1
    assert 0.02 < share < 0.25


def test_partners_differ_in_returns(clean_store: Store) -> None:
    query = """
        with rates as (
            select p.name, count(r.refund_id) / count(*) as rate
            from order_items as i
            join (select distinct product_id, partner_id from products) as m using (product_id)
            join (select distinct partner_id, name from partners) as p on p.partner_id = m.partner_id
            left join refunds as r using (order_id, line_number)
            group by p.name
        )
        select max(rate) filter (where name = 'Seller Brook') / min(rate) filter (where name = 'Seller Dune') from rates
    """
    assert one(clean_store, query) > 1.5


def test_payments_add_up_to_what_was_charged(clean_store: Store) -> None:
    query = """
        with charged as (
            select
                order_id,
                sum(i.unit_price * i.quantity - i.discount_amount + i.tax_amount)
                    - any_value(o.discount_amount) + any_value(o.shipping_charged_amount + o.tax_amount) as amount,
                any_value(o.payment_fee_amount) as fee
            from orders as o join order_items as i using (order_id)
            where status not in ('void', 'cancelled') and not is_test
            group by order_id
        ),
        paid as (select order_id, sum(amount) as amount, sum(fee_amount) as fee from payments group by order_id)
        select count(*) from charged full join paid using (order_id)
        where charged.amount is distinct from paid.amount or charged.fee is distinct from paid.fee
    """
    assert one(clean_store, query) == 0


def test_refunds_stay_within_their_line(clean_store: Store) -> None:
    query = """
        select count(*) from refunds as r join order_items as i using (order_id, line_number)
        where r.amount > i.unit_price * i.quantity - i.discount_amount or r.quantity > i.quantity
            or r.restocked_quantity > r.quantity
    """
    assert one(clean_store, query) == 0
    early = "select count(*) from refunds join orders using (order_id) where refunded_at < ordered_at"
    assert one(clean_store, early) == 0


def test_visits_end_in_orders_through_a_funnel(clean_store: Store) -> None:
    query = """
        with steps as (
            select
                session_id,
                bool_or(event_type = 'view') as viewed,
                bool_or(event_type = 'add_to_cart') as added,
                bool_or(event_type = 'checkout') as checked_out,
                bool_or(event_type = 'purchase') as purchased
            from events group by session_id
        )
        select count(*), sum(added::int), sum(checked_out::int), sum(purchased::int) from steps where viewed
    """
    viewed, added, checked_out, purchased = one(clean_store, query)
    assert viewed > added > checked_out > purchased > 0
    sessions = clean_store[1].rows["sessions"]
    assert sessions == pytest.approx(10 * clean_store[1].totals["orders_count"], rel=0.03)
    bought = one(clean_store, "select count(*), count(distinct order_id) from events where event_type = 'purchase'")
    assert bought == (purchased, purchased)


def test_first_visits_come_within_the_lookback_and_never_from_the_future(clean_store: Store) -> None:
    query = """
        select count(*) from sessions as s
        join (select customer_id, min(ordered_at) as first_at from orders where status <> 'void' group by all) as f
            using (customer_id)
        where s.started_at < f.first_at - interval 50 day
    """
    assert one(clean_store, query) == 0
    assert one(clean_store, "select max(started_at) < timestamp '2026-01-01' from sessions") is True


def test_exchange_rates_cover_every_day(clean_store: Store) -> None:
    assert one(clean_store, "select count(distinct date), count(*) from exchange_rates") == (730, 1460)


def test_default_files_stay_small(clean_store: Store, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = next(tmp_path_factory.getbasetemp().glob("clean-store*"))
    assert sum(path.stat().st_size for path in folder.iterdir()) < 25_000_000
