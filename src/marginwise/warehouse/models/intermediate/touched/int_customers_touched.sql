-- Grain: one customer that something new, corrected or gone may reach: its record, orders, refunds, visits and events, the
-- channel of what its record declares, or the days that decide who is mature and who left-censored. Empty in a full
-- refresh.

{%- set horizon = var('horizon_days') %}
{%- set edges_passed %}
    (
        select
            store_id,
            {{ add_days('min(as_of_date)', '1 - ' ~ horizon) }} as first_matured_date,
            {{ add_days('max(as_of_date)', '-' ~ horizon) }} as last_matured_date,
            min(censored_until_date) as first_censored_date,
            {{ add_days('max(censored_until_date)', -1) }} as last_censored_date
        from {{ changed('int_periods_set') }}
        group by store_id
    ) as edges
{%- endset %}

{% call touched_keys(['store_id', 'customer_id'], surrogate='customer_key') %}
    {% for model in ('chk_customers', 'chk_orders', 'chk_refunds', 'chk_events', 'fct_sessions', 'fct_orders') -%}
    select store_id, customer_id from {{ changed(model) }}
    union all
    {% endfor -%}
    select customers.store_id, customers.customer_id
    from {{ ref('stg_customers') }} as customers
    inner join {{ changed('int_channels_grouped') }} as labels
        on {{ traffic_label('customers.acquisition_channel') }} = labels.channel
    union all
    select orders.store_id, orders.customer_id
    from {{ ref('fct_orders') }} as orders
    inner join {{ edges_passed }}
        on
            orders.store_id = edges.store_id
            and (
                orders.order_date between edges.first_matured_date and edges.last_matured_date
                or orders.order_date between edges.first_censored_date and edges.last_censored_date
            )
    where
        orders.order_number = 1
        and (
            {{ may_be_within('orders.order_date', edges_passed, 'first_matured_date', 'last_matured_date') }}
            or {{ may_be_within('orders.order_date', edges_passed, 'first_censored_date', 'last_censored_date') }}
        )
{% endcall %}
