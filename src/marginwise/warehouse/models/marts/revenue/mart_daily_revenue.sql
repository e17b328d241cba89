-- Grain: one store and store-local day, without gaps from the first to the last day with an order, refund or spend.
-- Two date bases stand side by side and must not be added: order date (cohorts, verdicts) and refund date (finance).
{%- set entry_amounts = ['gross_sales', 'discount', 'cancelled', 'refund', 'net_revenue', 'unknown_cost_revenue'] %}

with days as (

    select * from {{ ref('int_margin_days_summed') }}

),

refunds as (

    select * from {{ ref('fct_refunds') }}
    where is_counted

),

spend as (

    select * from {{ ref('fct_marketing_spend') }}

),

dates as (

    select * from {{ ref('dim_dates') }}

),

entries_by_day as (

    select
        store_id,
        entry_date,
        cast(sum(orders_count) as bigint) as orders_count,
        {% for name in entry_amounts -%}
        sum({{ name + '_step' if name == 'net_revenue' else name }}_amount) as {{ name }}_amount,
        {% endfor -%}
        sum(cm1_step_amount) as cm1_amount,
        sum(cm2_step_amount) as cm2_amount
    from days
    group by store_id, entry_date

),

refunds_by_day as (

    select store_id, refund_date, sum(amount) as refund_amount from refunds group by store_id, refund_date

),

spend_by_day as (

    select store_id, spend_date, sum(spend_amount) as spend_amount from spend group by store_id, spend_date

),

active_days as (

    select store_id, entry_date as day, 0 as spend_count from entries_by_day
    union all
    select store_id, refund_date, 0 from refunds_by_day
    union all
    select store_id, spend_date, 1 from spend_by_day

),

stores_bounded as (

    select store_id, min(day) as first_date, max(day) as last_date, max(spend_count) > 0 as has_spend from active_days
    group by store_id

),

final as (

    select
        stores_bounded.store_id,
        dates.date_day as revenue_date,
        coalesce(entries.orders_count, 0) as orders_count,
        {% for name in entry_amounts -%}
        cast(coalesce(entries.{{ name }}_amount, 0) as decimal(18, 4)) as {{ name }}_amount,
        {% endfor -%}
        cast(coalesce(refunds.refund_amount, 0) as decimal(18, 4)) as refund_by_refund_date_amount,
        cast(
            coalesce(net_revenue_amount + entries.refund_amount, 0) - coalesce(refunds.refund_amount, 0)
            as decimal(18, 4)
        ) as net_revenue_by_refund_date_amount,
        cast(case when entries.entry_date is null then 0 else entries.cm1_amount end as decimal(18, 4)) as cm1_amount,
        cast(case when entries.entry_date is null then 0 else entries.cm2_amount end as decimal(18, 4)) as cm2_amount,
        cast(case when has_spend then coalesce(spend.spend_amount, 0) end as decimal(18, 4)) as spend_amount
    from stores_bounded
    inner join dates on dates.date_day between stores_bounded.first_date and stores_bounded.last_date
    left join entries_by_day as entries on stores_bounded.store_id = entries.store_id and date_day = entry_date
    left join refunds_by_day as refunds on stores_bounded.store_id = refunds.store_id and date_day = refund_date
    left join spend_by_day as spend on stores_bounded.store_id = spend.store_id and date_day = spend_date
)

select *, cast(cm2_amount - spend_amount as decimal(18, 4)) as cm3_amount from final
