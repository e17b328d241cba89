-- Grain: one order that something new, corrected or gone may reach: itself, its lines, payments and refunds, the visits it
-- may have come from, its label's channel, its products with their costs and prices, its partners, the rates of exchange
-- of its day. Empty in a full refresh.

{% call touched_keys(['store_id', 'order_id']) %}
    {% for table in ('orders', 'order_items', 'payments', 'refunds') -%}
    select store_id, order_id from {{ changed('chk_' ~ table) }}
    union all
    {% endfor -%}
    select orders.store_id, orders.order_id
    from {{ ref('stg_orders') }} as orders
    inner join {{ changed('fct_sessions') }} as sessions
        on orders.store_id = sessions.store_id and orders.session_id = sessions.session_id
    union all
    select orders.store_id, orders.order_id
    from {{ ref('stg_orders') }} as orders
    inner join {{ changed('fct_sessions') }} as sessions
        on orders.store_id = sessions.store_id and orders.customer_id = sessions.customer_id
    where
        orders.session_id is null
        and sessions.started_at <= orders.ordered_at
        and sessions.started_at >= {{ dbt.dateadd('day', '-' ~ var('last_touch_days'), 'orders.ordered_at') }}
    union all
    select orders.store_id, orders.order_id
    from {{ ref('stg_orders') }} as orders
    inner join {{ changed('int_channels_grouped') }} as labels
        on {{ traffic_label('orders.channel') }} = labels.channel and {{ traffic_label('orders.campaign') }} = labels.campaign
    union all
    select items.store_id, items.order_id
    from {{ ref('stg_order_items') }} as items
    inner join {{ ref('int_products_touched') }} as products
        on items.store_id = products.store_id and items.product_id = products.product_id
    inner join {{ ref('stg_orders') }} as orders on items.store_id = orders.store_id and items.order_id = orders.order_id
    where orders.ordered_at >= products.touched_from_at
    union all
    select items.store_id, items.order_id
    from {{ ref('stg_order_items') }} as items
    inner join {{ ref('int_partners_touched') }} as partners
        on items.store_id = partners.store_id and items.partner_id = partners.partner_id
    inner join {{ ref('stg_orders') }} as orders on items.store_id = orders.store_id and items.order_id = orders.order_id
    where orders.ordered_at >= partners.touched_from_at
    union all
    select orders.store_id, orders.order_id
    from {{ ref('stg_orders') }} as orders
    inner join {{ ref('int_partners_touched') }} as partners
        on orders.store_id = partners.store_id and orders.partner_id = partners.partner_id
    where orders.ordered_at >= partners.touched_from_at
    union all
    select orders.store_id, orders.order_id
    from {{ ref('stg_orders') }} as orders
    inner join {{ changed('chk_exchange_rates') }} as rates
        on orders.store_id = rates.store_id and {{ local_date('orders.ordered_at') }} = rates.date
    union all
    select orders.store_id, orders.order_id
    from {{ ref('stg_orders') }} as orders
    inner join {{ changed('int_affiliates_placed') }} as stores on orders.store_id = stores.store_id
{% endcall %}
