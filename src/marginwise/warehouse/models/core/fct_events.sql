-- Grain: one interaction of a visitor. A view over staging: the largest table is not written twice.
{{ config(materialized='view') }}

with events as (

    select * from {{ ref('stg_events') }}

),

built as (

    select * from {{ ref('int_events_assigned') }}

),

final as (

    select
        {{ key(['events.store_id', 'events.event_id']) }} as event_key,
        events.store_id,
        events.event_id,
        {{ key(['events.store_id', 'coalesce(events.session_id, built.session_id)']) }} as session_key,
        {{ key(['events.store_id', 'events.customer_id']) }} as customer_key,
        {{ key(['events.store_id', 'events.product_id']) }} as product_key,
        {{ key(['events.store_id', 'events.order_id'], of='order') }} as order_key,
        coalesce(events.session_id, built.session_id) as session_id,
        events.visitor_id,
        events.customer_id,
        events.product_id,
        events.order_id,
        events.event_type,
        events.value_amount,
        {{ local_date('events.occurred_at') }} as event_date,
        events.occurred_at
    from events
    left join built on events.store_id = built.store_id and events.event_id = built.event_id

)

select * from final
