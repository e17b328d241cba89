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
        -- whether a refund that lies on no order line is one of goods bought before; one that comes to lie on none does so with its order
        select store_id, refund_id, order_id from {{ held_before('core', 'fct_refunds') }} as refunds
        where
            refunds.is_orderless
            and {{ is_among('refunds', ['store_id', 'customer_id'], changed('fct_order_lines')) }}
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
