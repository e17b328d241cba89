-- Grain: one order: its lines summed, its place in the customer's history, its last touch. Amounts as in
-- fct_order_lines; one that is unknown on a counted line is unknown for the order.
{{ config(
    materialized='kept', key=['store_id', 'order_id'], touched='int_order_histories_touched', sorted_by='order_date', rows_anew_are_read=true,
    compared=['customer_id', 'order_number', 'channel_name', 'campaign_name', 'order_date', 'ordered_at']
) }}

with orders as (

    select * from {{ ref('int_orders_resolved') }} as resolved
    where {{ is_touched('resolved', 'int_order_histories_touched', ['store_id', 'order_id']) }}

),

lines as (

    select
        store_id,
        order_id,
        count(*) as lines_count,
        sum(case when is_counted then 1 else 0 end) as counted_lines_count,
        sum(case when is_good then 1 else 0 end) as goods_lines_count,
        sum(case when is_counted then quantity else 0 end) as quantity,
        {%- for amount in order_amounts() %}
        {% if amount in nullable_order_amounts() -%}
        case when count(case when is_counted and {{ amount }} is null then 1 end) = 0 then sum({{ amount }}) end
            as {{ amount }},
        {%- else -%}
        sum({{ amount }}) as {{ amount }},
        {%- endif %}
        {%- endfor %}
        sum(case when goods_cost_basis = 'unknown' then net_revenue_amount else 0 end) as unknown_cost_revenue_amount
    from {{ ref('fct_order_lines') }} as order_lines
    where {{ is_touched('order_lines', 'int_order_histories_touched', ['store_id', 'order_id']) }}
    group by store_id, order_id

),

counted as (

    select
        orders.*,
        coalesce(lines.counted_lines_count, 0) > 0 as is_counted,
        coalesce(lines.counted_lines_count, 0) > 0 and not orders.is_cancelled as is_sale
    from orders
    left join lines on orders.store_id = lines.store_id and orders.order_id = lines.order_id

),

numbered as (

    select
        store_id,
        order_id,
        row_number() over history as order_number,
        lag(order_date) over history as previous_order_date
    from (
        select store_id, order_id, customer_key, ordered_at, order_date from counted
        where is_sale and customer_key is not null
        {{ and_rows_staying('store_id, order_id, customer_key, ordered_at, order_date', ['customer_key'],
            changed('int_orders_resolved'), 'is_sale') }}
    ) as sales
    window history as (partition by customer_key order by ordered_at, order_id)

),

final as (

    select
        counted.order_key, counted.customer_key,
        {{ key(['counted.store_id', 'counted.partner_id']) }} as partner_key,
        counted.channel_key, counted.session_key,
        counted.store_id, counted.order_id, counted.customer_id, counted.partner_id,
        counted.channel_name, counted.campaign_name, counted.touch_basis,
        counted.status, counted.sales_channel, counted.ship_country, counted.ship_region, counted.ship_city,
        counted.currency, counted.exchange_rate,
        numbered.order_number,
        {{ days_between('numbered.previous_order_date', 'counted.order_date') }} as days_since_previous_order,
        coalesce(lines.lines_count, 0) as lines_count,
        cast(coalesce(lines.goods_lines_count, 0) as bigint) as goods_lines_count,
        cast(coalesce(lines.quantity, 0) as decimal(18, 4)) as quantity,
        {%- for amount in order_amounts() %}
        {% if amount in nullable_order_amounts() -%}
        cast(lines.{{ amount }} as decimal(18, 4)) as {{ amount }},
        {%- else -%}
        cast(coalesce(lines.{{ amount }}, 0) as decimal(18, 4)) as {{ amount }},
        {%- endif %}
        {%- endfor %}
        cast(coalesce(lines.unknown_cost_revenue_amount, 0) as decimal(18, 4)) as unknown_cost_revenue_amount,
        counted.is_counted, counted.is_sale,
        numbered.order_number = 1 as is_first_order,
        counted.is_guest, counted.is_test, counted.is_void, counted.is_cancelled,
        counted.order_date, counted.ordered_at
    from counted
    left join lines on counted.store_id = lines.store_id and counted.order_id = lines.order_id
    left join numbered on counted.store_id = numbered.store_id and counted.order_id = numbered.order_id

)

select * from final
