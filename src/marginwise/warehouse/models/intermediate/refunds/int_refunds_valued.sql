-- Grain: one refund line in store currency, whether it lies on order lines or on none.
{{ config(materialized='view') }}

with placed as (

    select * from {{ ref('int_refunds_placed') }}

),

unplaced as (

    select * from {{ ref('int_refunds_unplaced') }}

),

final as (

    select
        store_id, refund_id, order_line_key, product_key as line_product_key,
        amount, tax_amount, shipping_amount, handling_cost_amount, restocked_cost_amount,
        cast(null as double precision) as exchange_rate,
        is_counted, is_good, false as is_orderless
    from placed
    union all
    select
        store_id, refund_id, null, null,
        amount, coalesce(tax_amount, 0), coalesce(shipping_amount, 0), coalesce(handling_cost_amount, 0),
        restocked_cost_amount,
        exchange_rate,
        is_good as is_counted, is_good, true
    from unplaced

)

select * from final
