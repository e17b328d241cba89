-- Channels sum to the visits of their window or month, pending ones apart, and no step is reached more than the last.
with windows as (

    select * from {{ ref('int_decision_windows_set') }}
    where period = 'current'

),

funnels as (

    select
        store_id,
        period_kind,
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
    group by store_id, period_kind

),

sessions as (

    select
        sessions.*,
        case when is_pending then 0 else 1 end as is_closed,
        case when sessions.session_date between windows.start_date and windows.end_date then 1 else 0 end as is_in_window
    from {{ ref('fct_sessions') }} as sessions
    left join windows on sessions.store_id = windows.store_id

),

summed as (

    select
        store_id,
        count(*) as sessions,
        sum(is_closed) as closed,
        sum(case when has_purchased then is_closed else 0 end) as purchased,
        sum(is_in_window) as window_sessions,
        sum(is_in_window * is_closed) as window_closed,
        sum(case when has_purchased then is_in_window * is_closed else 0 end) as window_purchased
    from sessions
    group by store_id

),

expected as (

    select
        store_id, 'month' as period_kind, closed as sessions_count, sessions - closed as pending_sessions_count,
        purchased as purchased_sessions_count
    from summed
    union all
    select store_id, 'window', window_closed, window_sessions - window_closed, window_purchased
    from summed
    where window_sessions > 0

)

select
    expected.store_id,
    expected.period_kind,
    expected.sessions_count,
    funnels.sessions_count as funnel_sessions_count
from expected
left join funnels on expected.store_id = funnels.store_id and expected.period_kind = funnels.period_kind
where
    expected.sessions_count is distinct from funnels.sessions_count
    or expected.pending_sessions_count is distinct from funnels.pending_sessions_count
    or expected.purchased_sessions_count is distinct from funnels.purchased_sessions_count
    or funnels.grows = 1
