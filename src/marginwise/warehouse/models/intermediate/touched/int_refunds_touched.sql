-- Grain: one refund that something new, corrected or gone may reach: itself, its order, its product with its costs, the
-- rates of exchange of its day, its customer's purchases; and every other refund of the same order, since they are added
-- up. Empty in a full refresh.

{% call touched_keys(['store_id', 'refund_id']) %}
    with reached as (

        select store_id, refund_id, order_id from {{ changed('chk_refunds') }}
        union all
        select refunds.store_id, refunds.refund_id, refunds.order_id
        from {{ ref('stg_refunds') }} as refunds
        inner join {{ ref('int_orders_touched') }} as orders
            on refunds.store_id = orders.store_id and refunds.order_id = orders.order_id
        union all
        select refunds.store_id, refunds.refund_id, refunds.order_id
        from {{ ref('stg_refunds') }} as refunds
        inner join {{ ref('int_products_touched') }} as products
            on refunds.store_id = products.store_id and refunds.product_id = products.product_id
        where refunds.refunded_at >= products.touched_from_at
        union all
        select refunds.store_id, refunds.refund_id, refunds.order_id
        from {{ ref('stg_refunds') }} as refunds
        inner join {{ changed('chk_exchange_rates') }} as rates
            on refunds.store_id = rates.store_id and {{ local_date('refunds.refunded_at') }} = rates.date
        union all
        select refunds.store_id, refunds.refund_id, refunds.order_id
        from {{ ref('stg_refunds') }} as refunds
        inner join (select distinct store_id, customer_id from {{ changed('fct_order_lines') }}) as customers
            on refunds.store_id = customers.store_id and refunds.customer_id = customers.customer_id
        union all
        select refunds.store_id, refunds.refund_id, refunds.order_id
        from {{ ref('stg_refunds') }} as refunds
        inner join {{ ref('int_orders_resolved') }} as orders
            on refunds.store_id = orders.store_id and refunds.order_id = orders.order_id
        inner join (select distinct store_id, customer_id from {{ changed('fct_order_lines') }}) as customers
            on orders.store_id = customers.store_id and orders.customer_id = customers.customer_id
        union all
        select refunds.store_id, refunds.refund_id, refunds.order_id
        from {{ ref('stg_refunds') }} as refunds
        inner join {{ changed('int_source_currencies_found') }} as currencies
            on refunds.store_id = currencies.store_id and refunds._source = currencies._source

    )

    select store_id, refund_id from reached
    union all
    select refunds.store_id, refunds.refund_id
    from {{ ref('stg_refunds') }} as refunds
    inner join reached on refunds.store_id = reached.store_id and refunds.order_id = reached.order_id
{% endcall %}
