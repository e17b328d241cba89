-- Grain: one order line. What share of its order's amounts the line carries: by net value among the lines that are
-- goods, evenly where these have no value. One window over the order, read once.
{{ config(materialized='view') }}

with items as (

    select * from {{ ref('stg_order_items') }} as stated
    where {{ is_touched('stated', 'int_orders_touched', ['store_id', 'order_id']) }}

),

other_codes as (

    select store_id, product_id from {{ ref('dim_products') }}
    where is_current and not is_good

),

valued as (

    select
        items.store_id, items.order_id, items.line_number, items.product_id, items.partner_id,
        items.quantity, items.unit_price, items.tax_amount, items.unit_cost,
        coalesce(items.discount_amount, 0) as discount_amount,
        coalesce(items.free_quantity, 0) as free_quantity,
        items._source, items._file_hash, items._row_number,
        other_codes.product_id is null as is_good,
        {{ line_amount('items') }} as line_amount,
        case
            when other_codes.product_id is not null then 0
            else greatest({{ line_amount('items') }} - coalesce(items.discount_amount, 0), 0)
        end as weight,
        case when other_codes.product_id is null then 1 else 0 end as even_weight
    from items
    left join other_codes on items.store_id = other_codes.store_id and items.product_id = other_codes.product_id

),

-- equal lines of an order lie side by side, so that a repetition is seen in the same pass
windowed as (

    select
        *,
        sum(weight) over so_far as weight_so_far,
        sum(weight) over whole as order_weight,
        sum(even_weight) over so_far as lines_so_far,
        sum(even_weight) over whole as order_lines,
        sum(coalesce(tax_amount, 0)) over whole as order_line_tax_amount,
        lag(product_id) over equal = product_id
        and lag(quantity) over equal = quantity
        and lag(unit_price) over equal = unit_price
        and lag(discount_amount) over equal = discount_amount
        and lag(free_quantity) over equal = free_quantity as is_duplicate
    from valued
    window
        equal as (
            partition by store_id, order_id
            order by {{ sortable('product_id') }}, quantity, unit_price, discount_amount, free_quantity, line_number
        ),
        so_far as (
            partition by store_id, order_id
            order by {{ sortable('product_id') }}, quantity, unit_price, discount_amount, free_quantity, line_number
            rows between unbounded preceding and current row
        ),
        whole as (partition by store_id, order_id)

),

final as (

    select
        store_id, order_id, line_number, product_id, partner_id,
        quantity, free_quantity, unit_price, line_amount, discount_amount, tax_amount, unit_cost,
        order_weight as order_net_amount,
        order_line_tax_amount,
        {{ share_of('weight_so_far', 'order_weight', 'lines_so_far', 'order_lines') }} as share_after,
        {{ share_of('weight_so_far - weight', 'order_weight', 'lines_so_far - even_weight', 'order_lines') }}
            as share_before,
        is_good,
        coalesce(is_duplicate, false) as is_duplicate,
        _source, _file_hash, _row_number
    from windowed

)

select * from final
