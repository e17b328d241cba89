-- Grain: one customer that something new, corrected or gone may reach: its record, orders, refunds, visits and events, the
-- channel of what its record declares, or the days that decide who is mature and who left-censored. Empty in a full
-- refresh.

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
    inner join (
        select
            store_id,
            min(as_of_date) as first_as_of_date,
            max(as_of_date) as last_as_of_date,
            min(censored_until_date) as first_censored_date,
            max(censored_until_date) as last_censored_date
        from {{ changed('int_periods_set') }}
        group by store_id
    ) as periods
        on orders.store_id = periods.store_id
    where
        orders.order_number = 1
        and (
            (
                {{ add_days('orders.order_date', var('horizon_days')) }} > first_as_of_date
                and {{ add_days('orders.order_date', var('horizon_days')) }} <= last_as_of_date
            )
            or (orders.order_date >= first_censored_date and orders.order_date < last_censored_date)
        )
{% endcall %}
