-- Channels sum to the store's visits of the window, pending ones apart, and no step is reached more than the last.
with windows as (

    select * from {{ ref('int_decision_windows_set') }}
    where period = 'current'

),

funnels as (

    select
        store_id,
        sum(sessions_count) as sessions_count,
        sum(pending_sessions_count) as pending_sessions_count,
        sum(purchased_sessions_count) as purchased_sessions_count,
        max(
            case
                when
                    purchased_sessions_count > checked_out_sessions_count
                    or checked_out_sessions_count > added_to_cart_sessions_count
                    or added_to_cart_sessions_count > viewed_sessions_count
                    or purchased_sessions_count > sessions_count
                    then 1
                else 0
            end
        ) as grows
    from {{ ref('mart_funnel_by_channel') }}
    group by store_id

),

sessions as (

    select
        sessions.store_id,
        sum(case when sessions.is_pending then 0 else 1 end) as sessions_count,
        sum(case when sessions.is_pending then 1 else 0 end) as pending_sessions_count,
        sum(case when sessions.has_purchased and not sessions.is_pending then 1 else 0 end) as purchased_sessions_count
    from {{ ref('fct_sessions') }} as sessions
    inner join windows
        on
            sessions.store_id = windows.store_id
            and sessions.session_date between windows.start_date and windows.end_date
    group by sessions.store_id

)

select sessions.store_id, sessions.sessions_count, funnels.sessions_count as funnel_sessions_count
from sessions
left join funnels on sessions.store_id = funnels.store_id
where
    sessions.sessions_count is distinct from funnels.sessions_count
    or sessions.pending_sessions_count is distinct from funnels.pending_sessions_count
    or sessions.purchased_sessions_count is distinct from funnels.purchased_sessions_count
    or funnels.grows = 1
