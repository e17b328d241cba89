-- Grain: one session, stated or built, of which one asks whose it is. All sessions in a full refresh, else those of touched visitors,
-- read once for all models behind it.
{{ config(materialized='slice') }}

select store_id, session_id, visitor_id, customer_id, started_at
from {{ ref('int_sessions_built') }} as sessions
where {{ is_touched('sessions', 'int_visitors_touched', ['store_id', 'visitor_id']) }}
