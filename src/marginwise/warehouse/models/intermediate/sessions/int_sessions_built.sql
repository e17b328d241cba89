-- Grain: one session: those a source states, and, for stores that state none, those built from events.
{{ config(materialized='view') }}

with sessions as (

    select * from {{ ref('stg_sessions') }}

),

events as (

    select * from {{ ref('int_events_assigned') }}

),

final as (

    select
        store_id, session_id, visitor_id, customer_id, started_at,
        {{ traffic_label('source') }} as source,
        {{ traffic_label('medium') }} as medium,
        {{ traffic_label('campaign') }} as campaign,
        {{ traffic_label('channel') }} as channel,
        {{ traffic_paid('is_paid') }} as is_paid,
        device, country, landing_page, false as is_built
    from sessions
    union all
    select
        store_id, session_id, min(visitor_id), max(customer_id), min(occurred_at),
        '', '', '', '', '',
        null, null, null, true
    from events
    group by store_id, session_id

)

select * from final
