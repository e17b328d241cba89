-- Grain: one event of a store that has no sessions of its own; other stores' events name their session themselves.
-- A session ends after 30 idle minutes of its visitor and is named after its first event, so that later data never
-- rename it.
{{ config(materialized='kept', key=['store_id', 'visitor_id'], touched='int_visitors_touched', carries=['session_id']) }}

with events as (

    select * from {{ ref('stg_events') }} as events
    where
        {{ is_among('events', ['store_id'], ref('int_periods_set'), 'not has_sessions') }}
        and {{ is_touched('events', 'int_visitors_touched', ['store_id', 'visitor_id']) }}

),

gapped as (

    select
        store_id,
        event_id,
        visitor_id,
        customer_id,
        session_id as declared_session_id,
        occurred_at,
        case
            when lag(occurred_at) over visit >= {{ dbt.dateadd('minute', -30, 'occurred_at') }} then 0 else 1
        end as is_session_start
    from events
    window visit as (
        partition by store_id, visitor_id, coalesce(session_id, '') order by occurred_at, event_id
    )

),

numbered as (

    select
        *,
        sum(is_session_start) over (
            partition by store_id, visitor_id, coalesce(declared_session_id, '')
            order by occurred_at, event_id
            rows between unbounded preceding and current row
        ) as session_number
    from gapped

),

final as (

    select
        store_id,
        event_id,
        visitor_id,
        customer_id,
        occurred_at,
        coalesce(
            declared_session_id,
            'from ' || first_value(event_id) over (
                partition by store_id, visitor_id, coalesce(declared_session_id, ''), session_number
                order by occurred_at, event_id
            )
        ) as session_id
    from numbered

)

select * from final
