-- What belongs to a whole order lies on its lines exactly, and the order's amounts are the sums of its lines.

with lines as (

    select
        store_id,
        order_id,
        sum(net_revenue_amount) as net_revenue_amount,
        sum(discount_amount) as discount_amount,
        sum(shipping_charged_amount + shipping_refunded_amount) as shipping_charged_amount,
        sum(shipping_cost_amount) as shipping_cost_amount,
        sum(handling_cost_amount) as handling_cost_amount,
        sum(payment_fee_amount) as payment_fee_amount
    from {{ rows_anew('fct_order_lines') }}
    group by store_id, order_id

),

items as (

    select store_id, order_id, sum(coalesce(discount_amount, 0)) as discount_amount
    from {{ ref('stg_order_items') }} as order_items
    where {{ is_touched('order_items', 'int_orders_touched', ['store_id', 'order_id']) }}
    group by store_id, order_id

)

select stated.order_key
from {{ rows_anew('int_orders_resolved') }} as stated
inner join {{ rows_anew('fct_orders') }} as orders on stated.store_id = orders.store_id and stated.order_id = orders.order_id
inner join lines on stated.store_id = lines.store_id and stated.order_id = lines.order_id
inner join items on stated.store_id = items.store_id and stated.order_id = items.order_id
where
    orders.is_counted
    and (
        lines.net_revenue_amount <> orders.net_revenue_amount
        or lines.shipping_charged_amount <> coalesce(stated.shipping_charged_amount, 0)
        or lines.shipping_cost_amount <> stated.shipping_cost_amount
        or lines.handling_cost_amount <> coalesce(stated.handling_cost_amount, 0)
        or lines.payment_fee_amount <> stated.payment_fee_amount
        {% if var('business_model') == 'retailer' -%}
        or (
            not stated.has_tax_in_prices
            and stated.exchange_rate = 1
            and orders.lines_count = orders.goods_lines_count
            and lines.discount_amount <> items.discount_amount + coalesce(stated.discount_amount, 0)
        )
        {%- endif %}
    )
