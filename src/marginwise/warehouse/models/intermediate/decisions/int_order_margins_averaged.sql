-- Grain: one store and period of its funnels. What an order is worth: CM2 ÷ orders of known cost, never below 0, since an
-- order that loses money is not missed.
with funnels as (

    select * from {{ ref('int_funnels_counted') }}

),

orders as (

    select * from {{ ref('fct_orders') }}
    where is_sale and cm2_amount is not null

),

days as (

    select store_id, order_date, sum(cm2_amount) as cm2_amount, count(*) as orders_count from orders
    group by store_id, order_date

),

periods as (

    select distinct store_id, period_kind, period_start_date, period_end_date from funnels

),

final as (

    select
        periods.store_id,
        periods.period_kind,
        periods.period_start_date,
        greatest({{ rate_of('sum(days.cm2_amount)', 'sum(days.orders_count)') }}, 0) as cm2_per_order_amount
    from periods
    inner join days
        on
            periods.store_id = days.store_id
            and days.order_date between periods.period_start_date and periods.period_end_date
    group by periods.store_id, periods.period_kind, periods.period_start_date

)

select * from final
