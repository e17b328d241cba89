-- Grain: one store, day of order and step of the margin bridge at which its loaded order lines leave, or are kept. Exclusive:
-- a line belongs to the first step that fits.
{{ config(materialized='kept', key=['store_id', 'entry_date'], touched='int_dates_touched', is_told=false) }}

with order_lines as (

    select *, order_date as entry_date from {{ ref('fct_order_lines') }} as order_lines
    where {{ is_touched('order_lines', 'int_dates_touched', ['store_id', 'order_date'], ['store_id', 'entry_date'], date='order_date') }}

),

products as (

    select * from {{ ref('dim_products') }}
    where is_current

),

lines_classified as (

    select
        order_lines.store_id,
        order_lines.entry_date,
        order_lines.line_amount,
        {{ step_of_landed_row(
            is_good='order_lines.is_good', is_free=is_free_line(),
            is_void_or_test='order_lines.is_void or order_lines.is_test'
        ) }} as step_group
    from order_lines
    left join products
        on order_lines.store_id = products.store_id and order_lines.product_id = products.product_id

),

final as (

    select
        store_id,
        entry_date,
        step_group,
        {{ summed('line_amount') }} as amount,
        count(*) as row_count
    from lines_classified
    group by store_id, entry_date, step_group

)

select * from final
