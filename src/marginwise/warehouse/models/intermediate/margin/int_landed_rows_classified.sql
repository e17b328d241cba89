-- Grain: one landed row that states sales (see int_landed_rows_matched), with its step of the margin bridge.
-- Exclusive: a row belongs to the first step that fits, so that each landed row leaves once or is kept.
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
        case
            when landed_rows.is_replaced and landed_rows.violations is null then 'superseded'
            when products.kind = 'bad_debt' and not coalesce(landed_rows.is_good, false) then 'bad_debt'
            when landed_rows.is_free then 'zero_price'
            when not coalesce(landed_rows.is_good, products.is_good, true) then 'not_a_product'
            when landed_rows.violations is not null then 'quarantined'
            when landed_rows.is_refund and landed_rows.has_earlier_sale then 'cancelled_with_sale'
            when landed_rows.is_refund then 'cancelled_without_sale'
            when landed_rows.is_void_or_test then 'void_or_test'
            else 'kept'
        end as step_group,
        split_part(landed_rows.violations, ':', 1) as first_rule
    from landed_rows
    left join products
        on landed_rows.store_id = products.store_id and landed_rows.product_id = products.product_id

),

final as (

    select
        store_id,
        amount,
        step_group,
        case when step_group = 'quarantined' then first_rule end as rule
    from rows_classified

)

select * from final
