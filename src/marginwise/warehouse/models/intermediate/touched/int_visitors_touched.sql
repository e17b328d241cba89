-- Grain: one visitor that something new, corrected or gone may reach: by a visit or event of its own, or by an order that
-- one of its visits led to. Empty in a full refresh.

{% call touched_keys(['store_id', 'visitor_id']) %}
    select store_id, visitor_id from {{ changed('chk_sessions') }}
    union all
    select store_id, visitor_id from {{ changed('chk_events') }}
    union all
    select sessions.store_id, sessions.visitor_id
    from {{ ref('stg_sessions') }} as sessions
    inner join {{ changed('chk_orders') }} as orders
        on sessions.store_id = orders.store_id and sessions.session_id = orders.session_id
    union all
    select events.store_id, events.visitor_id
    from {{ ref('stg_events') }} as events
    inner join {{ ref('int_periods_set') }} as periods on events.store_id = periods.store_id and not periods.has_sessions
    inner join {{ changed('chk_orders') }} as orders
        on events.store_id = orders.store_id and events.session_id = orders.session_id
    union all
    -- visitors who share a session with what came or went
    select events.store_id, events.visitor_id
    from {{ ref('stg_events') }} as events
    inner join {{ ref('int_periods_set') }} as periods on events.store_id = periods.store_id and not periods.has_sessions
    inner join {{ changed('chk_events') }} as changed_events
        on events.store_id = changed_events.store_id and events.session_id = changed_events.session_id
    union all
    -- a store that gets its first visits, or loses its last, builds them no more or anew
    select events.store_id, events.visitor_id
    from {{ ref('stg_events') }} as events
    where events.store_id in ({{ stores_turned('has_sessions') }})
{% endcall %}
