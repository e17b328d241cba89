-- Grain: one customer with at least one sale. The channel that won the customer, once and for all: declared; else
-- that of the first session within the lookback before the first order; else the first order's; else Unassigned.
{{ config(
    materialized='kept', key=['customer_key'], touched='int_customers_touched', named_by=['store_id', 'customer_id'], compared='all',
    rows_anew_are_read=true
) }}

with first_orders as (

    select * from {{ ref('fct_orders') }} as orders
    where order_number = 1 and {{ is_touched('orders', 'int_customers_touched', ['customer_key']) }}

),

sessions as (

    select * from {{ ref('fct_sessions') }} as visits
    where customer_key is not null and {{ is_asked_for('visits', ['customer_key'], 'first_orders') }}

),

periods as (

    select * from {{ ref('int_periods_set') }}

),

declared as (

    select * from {{ ref('int_acquisitions_declared') }}

),

visited as (

    select
        first_orders.customer_key,
        sessions.channel_name,
        sessions.campaign_name,
        row_number() over (
            partition by first_orders.customer_key order by sessions.started_at, sessions.session_id
        ) as visit_rank
    from first_orders
    inner join sessions
        on
            first_orders.customer_key = sessions.customer_key
            and first_orders.ordered_at >= sessions.started_at
            and {{ dbt.dateadd('day', '-' ~ var('session_lookback_days'), 'first_orders.ordered_at') }}
            <= sessions.started_at

),

touched as (

    select
        first_orders.*,
        declared.channel_name as declared_channel,
        visited.channel_name as visit_channel,
        visited.campaign_name as visit_campaign,
        coalesce(declared.channel_name, visited.channel_name, first_orders.channel_name) as acquisition_channel
    from first_orders
    left join declared
        on first_orders.store_id = declared.store_id and first_orders.customer_id = declared.customer_id
    left join visited
        on
            first_orders.customer_key = visited.customer_key
            and visited.visit_rank = 1

),

final as (

    select
        touched.customer_key, touched.store_id, touched.customer_id,
        touched.order_id as first_order_id,
        touched.order_date as first_order_date,
        touched.acquisition_channel,
        case touched.acquisition_channel
            when touched.visit_channel then touched.visit_campaign
            when touched.channel_name then touched.campaign_name
            else '(not set)'
        end as acquisition_campaign,
        case
            when touched.declared_channel is not null then 'declared'
            when touched.acquisition_channel = 'Unassigned' then 'unassigned'
            when touched.visit_channel is not null then 'session'
            else 'first_order'
        end as acquisition_basis,
        touched.order_date < periods.censored_until_date as is_left_censored,
        {{ add_days('touched.order_date', var('horizon_days')) }} <= periods.as_of_date as is_mature,
        touched.ordered_at as first_order_at,
        touched.channel_name as first_order_channel, touched.campaign_name as first_order_campaign
    from touched
    inner join periods on touched.store_id = periods.store_id

)

select * from final
