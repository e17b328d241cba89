-- Grain: one session with its channel and with the customer it belongs to: the one it names, else the one whose
-- order it led to, else the one its visitor is known to be.
{{ config(materialized='view') }}

with sessions as (

    select * from {{ ref('int_sessions_built') }} as built
    where {{ is_touched('built', 'int_sessions_touched', ['store_id', 'session_id']) }}

),

channels as (

    select * from {{ ref('int_channels_grouped') }}

),

channel_keys as (

    select store_id, channel_name, channel_key from {{ ref('dim_channels') }}

),

visitors as (

    select * from {{ ref('int_visitors_linked') }} as linked
    where {{ is_asked_for('linked', ['store_id', 'visitor_id'], 'sessions') }}

),

orders as (

    select store_id, session_id, max(customer_id) as customer_id, max(ordered_at) as last_ordered_at
    from {{ ref('stg_orders') }} as orders
    where
        {{ is_touched('orders', 'int_sessions_touched', ['store_id', 'session_id']) }}
        and session_id is not null and status <> 'void' and not coalesce(is_test, false)
    group by store_id, session_id

),

final as (

    select
        sessions.store_id, sessions.session_id, sessions.visitor_id,
        coalesce(sessions.customer_id, orders.customer_id, visitors.customer_id) as customer_id,
        channel_keys.channel_key, channels.channel_name,
        sessions.campaign, sessions.source, sessions.medium,
        sessions.device, sessions.country, sessions.landing_page,
        sessions.is_built,
        orders.session_id is not null as has_order,
        sessions.started_at,
        orders.last_ordered_at
    from sessions
    inner join channels
        on
            sessions.source = channels.source
            and sessions.medium = channels.medium
            and sessions.campaign = channels.campaign
            and sessions.channel = channels.channel
            and sessions.is_paid = channels.is_paid
    left join channel_keys
        on sessions.store_id = channel_keys.store_id and channels.channel_name = channel_keys.channel_name
    left join visitors on sessions.store_id = visitors.store_id and sessions.visitor_id = visitors.visitor_id
    left join orders on sessions.store_id = orders.store_id and sessions.session_id = orders.session_id

)

select * from final
