-- Grain: one order whose place in its customer's history is found anew: each touched order, and all orders of the customers
-- that have or had one. Empty in a full refresh.

{% call touched_keys(['store_id', 'order_id']) %}
    select store_id, order_id from {{ ref('int_orders_touched') }}
    union all
    select orders.store_id, orders.order_id
    from {{ ref('int_orders_resolved') }} as orders
    inner join (
        select resolved.store_id, resolved.customer_id
        from {{ ref('int_orders_resolved') }} as resolved
        inner join {{ ref('int_orders_touched') }} as touched
            on resolved.store_id = touched.store_id and resolved.order_id = touched.order_id
        union
        select store_id, customer_id from {{ changed('int_orders_resolved') }}
    ) as customers
        on orders.store_id = customers.store_id and orders.customer_id = customers.customer_id
{% endcall %}
