-- Per store, the refunds on order lines and those on none are all refunds that count: the two date bases differ in
-- time only.

with lines as (

    select store_id, sum(refund_amount) as amount from {{ ref('fct_order_lines') }}
    group by store_id

),

refunds as (

    select
        store_id,
        sum(case when is_counted then amount else 0 end) as amount,
        sum(case when is_counted and is_orderless then amount else 0 end) as orderless_amount,
        count(*) as refunds_count
    from {{ ref('fct_refunds') }}
    group by store_id

),

staged as (

    select store_id, count(*) as refunds_count from {{ ref('stg_refunds') }}
    group by store_id

)

select staged.store_id
from staged
left join refunds on staged.store_id = refunds.store_id
left join lines on staged.store_id = lines.store_id
where
    abs(coalesce(lines.amount, 0) + coalesce(refunds.orderless_amount, 0) - coalesce(refunds.amount, 0)) > 0.005
    or coalesce(refunds.refunds_count, 0) <> staged.refunds_count
