-- Grain: one order whose place in its customer's history is found anew: each touched order, and those that its customer, of
-- now or of before, placed at the same moment or later. Empty in a full refresh.

{% call touched_keys(['store_id', 'order_id']) %}
    select store_id, order_id from {{ ref('int_orders_touched') }}
    union all
    select orders.store_id, orders.order_id
    from {{ ref('int_orders_resolved') }} as orders
    inner join (
        select store_id, customer_id, min(ordered_at) as touched_from_at from {{ changed('int_orders_resolved') }}
        group by store_id, customer_id
    ) as customers
        on orders.store_id = customers.store_id and orders.customer_id = customers.customer_id
    where orders.ordered_at >= customers.touched_from_at
{% endcall %}
