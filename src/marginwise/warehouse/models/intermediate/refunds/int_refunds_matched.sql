-- Grain: one refund and one order line it may lie on, with the line's share of it. A refund that names its line
-- lies there; one that names a product lies on the order's lines of it; any other is spread on the order's goods by
-- net value.
{{ config(materialized='view') }}

with refunds as (

    select * from {{ ref('stg_refunds') }} as stated
    where order_id is not null and {{ is_touched('stated', 'int_orders_touched', ['store_id', 'order_id']) }}

),

orders as (

    select store_id, order_id, exchange_rate from {{ ref('int_orders_resolved') }} as resolved
    where {{ is_touched('resolved', 'int_orders_touched', ['store_id', 'order_id']) }}

),

items as (

    select * from {{ ref('stg_order_items') }} as stated
    where {{ is_touched('stated', 'int_orders_touched', ['store_id', 'order_id']) }}

),

products as (

    select store_id, product_id, is_good from {{ ref('dim_products') }}
    where is_current

),

candidates as (

    select
        refunds.*,
        items.line_number as item_line_number,
        orders.exchange_rate,
        items.quantity + coalesce(items.free_quantity, 0) as line_quantity,
        case
            when refunds.line_number = items.line_number then 1
            when refunds.product_id = items.product_id then 2
            when coalesce(products.is_good, true) then 3
            else 4
        end as fit,
        greatest({{ line_amount('items') }} - coalesce(items.discount_amount, 0), 0) as weight
    from refunds
    inner join orders on refunds.store_id = orders.store_id and refunds.order_id = orders.order_id
    inner join items on refunds.store_id = items.store_id and refunds.order_id = items.order_id
    left join products on items.store_id = products.store_id and items.product_id = products.product_id

),

fitted as (

    select *, min(fit) over (partition by store_id, refund_id) as best_fit from candidates

),

windowed as (

    select
        *,
        sum(weight) over so_far as weight_so_far,
        sum(weight) over whole as whole_weight,
        row_number() over (partition by store_id, refund_id order by item_line_number) as lines_so_far,
        count(*) over whole as whole_lines
    from fitted
    where fit = best_fit
    window
        so_far as (
            partition by store_id, refund_id order by item_line_number rows between unbounded preceding and current row
        ),
        whole as (partition by store_id, refund_id)

),

final as (

    select
        store_id, refund_id, order_id, item_line_number as line_number,
        amount, tax_amount, shipping_amount, handling_cost_amount, restocked_quantity, line_quantity, exchange_rate,
        best_fit = 1 or whole_lines = 1 as is_on_one_line,
        {{ share_of('weight_so_far', 'whole_weight', 'lines_so_far', 'whole_lines') }} as share_after,
        {{ share_of('weight_so_far - weight', 'whole_weight', 'lines_so_far - 1', 'whole_lines') }} as share_before,
        refunded_at
    from windowed

)

select * from final
