-- Grain: one refund on one order line. A refund that names its line lies there; one that names a product lies on the order's
-- lines of it; any other is spread on the order's goods by net value. Amounts in store currency at the order's rate, excluding tax.

with refunds as (

    select * from {{ ref('stg_refunds') }}
    where order_id is not null

),

orders as (

    select store_id, order_id, exchange_rate from {{ ref('int_orders_resolved') }}

),

items as (

    select * from {{ ref('stg_order_items') }}

),

products as (

    select store_id, product_id, is_good from {{ ref('dim_products') }}
    where is_current

),

candidates as (

    select
        refunds.store_id, refunds.refund_id, refunds.order_id, items.line_number, refunds.refunded_at, orders.exchange_rate,
        refunds.amount, refunds.tax_amount, refunds.shipping_amount, refunds.handling_cost_amount, refunds.restocked_quantity,
        items.quantity + coalesce(items.free_quantity, 0) as line_quantity,
        case
            when refunds.line_number = items.line_number then 1
            when refunds.product_id = items.product_id then 2
            when coalesce(products.is_good, true) then 3
            else 4
        end as fit,
        greatest(cast(items.quantity * items.unit_price as decimal(18, 4)) - coalesce(items.discount_amount, 0), 0) as weight
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
        row_number() over so_far as lines_so_far,
        count(*) over whole as whole_lines
    from fitted
    where fit = best_fit
    window
        so_far as (partition by store_id, refund_id order by line_number rows between unbounded preceding and current row),
        whole as (partition by store_id, refund_id)

),

shared as (

    select
        *,
        case
            when whole_weight > 0 then cast(weight_so_far as double precision) / cast(whole_weight as double precision)
            else cast(lines_so_far as double precision) / whole_lines
        end as share_after,
        case
            when whole_weight > 0 then cast(weight_so_far - weight as double precision) / cast(whole_weight as double precision)
            else cast(lines_so_far - 1 as double precision) / whole_lines
        end as share_before
    from windowed

),

-- what was sent once comes back once: the cost of more than the line's quantity does not return
spread as (

    select
        *,
        {{ converted('amount', 'exchange_rate') }} as refund_amount,
        {{ converted('tax_amount', 'exchange_rate') }} as refund_tax_amount,
        {{ converted('shipping_amount', 'exchange_rate') }} as refund_shipping_amount,
        {{ converted('handling_cost_amount', 'exchange_rate') }} as refund_handling_amount,
        {{ allocated('coalesce(restocked_quantity, 0)') }} as line_restocked_quantity
    from shared

),

capped as (

    select
        *,
        sum(line_restocked_quantity) over (
            partition by store_id, order_id, line_number
            order by refunded_at, refund_id
            rows between unbounded preceding and current row
        ) as restocked_so_far
    from spread

),

final as (

    select
        {{ key(['store_id', 'refund_id']) }} as refund_key,
        store_id, order_id, line_number, refund_id,
        best_fit = 1 or whole_lines = 1 as is_on_one_line,
        {{ allocated('refund_amount') }} as refund_amount,
        coalesce({{ allocated('refund_tax_amount') }}, 0) as tax_amount,
        coalesce({{ allocated('refund_shipping_amount') }}, 0) as shipping_amount,
        coalesce({{ allocated('refund_handling_amount') }}, 0) as handling_cost_amount,
        greatest(
            least(restocked_so_far, line_quantity) - least(restocked_so_far - line_restocked_quantity, line_quantity), 0
        ) as restocked_quantity,
        refunded_at
    from capped

)

select * from final
