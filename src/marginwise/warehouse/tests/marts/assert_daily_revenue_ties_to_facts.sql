-- Days sum to the facts: sales, refunds on both date bases, margins and spend, to the cent.
with days as (

    select
        store_id,
        sum(orders_count) as orders_count,
        sum(gross_sales_amount) as gross_sales_amount,
        sum(net_revenue_amount) as net_revenue_amount,
        sum(net_revenue_by_refund_date_amount) as net_revenue_by_refund_date_amount,
        coalesce(sum(cm2_amount), 0) as cm2_amount,
        coalesce(sum(spend_amount), 0) as spend_amount
    from {{ ref('mart_daily_revenue') }}
    group by store_id

),

orders as (

    select store_id, count(*) as orders_count from {{ ref('fct_orders') }}
    where is_sale
    group by store_id

),

lines as (

    select
        store_id,
        sum(gross_sales_amount) as gross_sales_amount,
        sum(gross_sales_amount - discount_amount - cancelled_amount) as sales_amount
    from {{ ref('fct_order_lines') }}
    group by store_id

),

refunds as (

    select store_id, sum(amount) as amount from {{ ref('fct_refunds') }}
    where is_counted
    group by store_id

),

spend as (

    select store_id, sum(spend_amount) as amount from {{ ref('fct_marketing_spend') }}
    group by store_id

),

bridge as (

    select store_id, amount from {{ ref('mart_margin_bridge') }}
    where step_id = 'cm2'

),

compared as (

    select
        days.*,
        coalesce(orders.orders_count, 0) as fact_orders_count,
        coalesce(lines.gross_sales_amount, 0) as fact_gross_sales_amount,
        coalesce(lines.sales_amount, 0) - coalesce(refunds.amount, 0) as fact_net_revenue_amount,
        coalesce(bridge.amount, 0) as bridge_cm2_amount,
        coalesce(spend.amount, 0) as fact_spend_amount
    from days
    left join orders on days.store_id = orders.store_id
    left join lines on days.store_id = lines.store_id
    left join refunds on days.store_id = refunds.store_id
    left join bridge on days.store_id = bridge.store_id
    left join spend on days.store_id = spend.store_id

)

select * from compared
where
    orders_count <> fact_orders_count
    or gross_sales_amount <> fact_gross_sales_amount
    or net_revenue_amount <> fact_net_revenue_amount
    or net_revenue_by_refund_date_amount <> fact_net_revenue_amount
    or cm2_amount <> bridge_cm2_amount
    or spend_amount <> fact_spend_amount
