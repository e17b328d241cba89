-- Grain: one session that something new, corrected or gone may reach: itself, its events, orders it led to, its visitor's
-- customer, its label's channel, or the end of the data, which decides what is pending. Empty in a full refresh.

{% call touched_keys(['store_id', 'session_id'], surrogate='session_key') %}
    select store_id, session_id from {{ changed('chk_sessions') }}
    union all
    select store_id, session_id from {{ changed('chk_events') }}
    union all
    select store_id, session_id from {{ changed('int_events_assigned') }}
    union all
    select store_id, session_id from {{ changed('chk_orders') }}
    union all
    select sessions.store_id, sessions.session_id
    from {{ ref('int_visits_touched') }} as sessions
    inner join {{ changed('int_visitors_linked') }} as visitors
        on sessions.store_id = visitors.store_id and sessions.visitor_id = visitors.visitor_id
    union all
    select sessions.store_id, sessions.session_id
    from {{ ref('int_sessions_built') }} as sessions
    inner join {{ changed('int_channels_grouped') }} as labels
        on
            sessions.source = labels.source
            and sessions.medium = labels.medium
            and sessions.campaign = labels.campaign
            and sessions.channel = labels.channel
            and sessions.is_paid = labels.is_paid
    union all
    select sessions.store_id, sessions.session_id
    from {{ held_before('core', 'fct_sessions') }} as sessions
    inner join (
        select store_id, min(data_end_at) as data_end_at from {{ changed('int_periods_set') }} group by store_id
    ) as periods
        on
            sessions.store_id = periods.store_id
            and sessions.last_activity_at > {{ dbt.dateadd('hour', -24, 'periods.data_end_at') }}
    union all
    select store_id, session_id from {{ ref('int_sessions_built') }}
    where store_id in ({{ stores_turned('has_events') }})
{% endcall %}
