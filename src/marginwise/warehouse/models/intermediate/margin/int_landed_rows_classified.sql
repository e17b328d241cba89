-- Grain: one store and step of the margin bridge (and rule, for quarantined rows) at which landed rows that state sales leave,
-- or are kept: order lines, rows of order_items that were not loaded, and rows of refunds where one raw table holds both.
{{ config(materialized='view') }}

with landed_rows as (

    select * from {{ ref('int_landed_rows_matched') }}

),

products as (

    select * from {{ ref('dim_products') }}
    where is_current

),

rows_classified as (

    select
        landed_rows.store_id,
        landed_rows.amount,
        {{ step_of_landed_row(
            is_good='landed_rows.is_good', is_free='landed_rows.is_free',
            is_superseded='landed_rows.is_replaced and landed_rows.violations is null',
            is_quarantined='landed_rows.violations is not null', is_refund='landed_rows.is_refund',
            has_earlier_sale='landed_rows.has_earlier_sale'
        ) }} as step_group,
        split_part(landed_rows.violations, ':', 1) as first_rule
    from landed_rows
    left join products
        on landed_rows.store_id = products.store_id and landed_rows.product_id = products.product_id

),

united as (

    select
        store_id, step_group, case when step_group = 'quarantined' then first_rule end as rule, amount, 1 as row_count
    from rows_classified
    union all
    select store_id, step_group, null, amount, row_count from {{ ref('int_line_days_classified') }}

),

final as (

    select store_id, step_group, rule, sum(amount) as amount, sum(row_count) as row_count
    from united
    group by store_id, step_group, rule

)

select * from final
