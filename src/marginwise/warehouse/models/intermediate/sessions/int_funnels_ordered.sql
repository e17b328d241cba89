-- Grain: one session with events: when it first and last reached each step of view → add to cart → checkout →
-- purchase. Only events within 24 hours of the session's start belong to it.
{{ config(materialized='view') }}

with sessions as (

    select store_id, session_id, started_at from {{ ref('int_sessions_built') }} as built
    where {{ is_touched('built', 'int_sessions_touched', ['store_id', 'session_id']) }}

),

events as (

    select store_id, session_id, occurred_at, event_type from {{ ref('fct_events') }} as events
    where {{ is_touched('events', 'int_sessions_touched', ['store_id', 'session_id']) }}

),

steps as (

    select
        events.store_id,
        events.session_id,
        max(events.occurred_at) as last_event_at,
        min(case when events.event_type = 'view' then events.occurred_at end) as first_view_at,
        min(case when events.event_type = 'add_to_cart' then events.occurred_at end) as first_cart_at,
        max(case when events.event_type = 'add_to_cart' then events.occurred_at end) as last_cart_at,
        min(case when events.event_type = 'checkout' then events.occurred_at end) as first_checkout_at,
        max(case when events.event_type = 'checkout' then events.occurred_at end) as last_checkout_at,
        max(case when events.event_type = 'purchase' then events.occurred_at end) as last_purchase_at
    from events
    inner join sessions on events.store_id = sessions.store_id and events.session_id = sessions.session_id
    where
        events.occurred_at < {{ dbt.dateadd('hour', 24, 'sessions.started_at') }}
    group by events.store_id, events.session_id

),

final as (

    select
        store_id,
        session_id,
        last_event_at,
        first_view_at is not null as has_view,
        last_cart_at is not null as has_cart,
        last_checkout_at is not null as has_checkout,
        last_purchase_at is not null as has_purchase,
        coalesce(first_view_at > least(last_cart_at, last_checkout_at, last_purchase_at), false)
        or coalesce(first_cart_at > least(last_checkout_at, last_purchase_at), false)
        or coalesce(first_checkout_at > last_purchase_at, false) as is_out_of_order
    from steps

)

select * from final
