-- Grain: one session. Steps are cumulative: a later step implies the earlier ones; null where the store has no
-- events. `is_pending`: not bought yet and within 24 hours of its last activity when the data end; neither won nor
-- lost.
{{ config(
    materialized='kept', key=['session_key'], touched='int_sessions_touched', rows_anew_are_read=true,
    named_by=['store_id', 'session_id'], compared=['customer_id', 'channel_name', 'campaign_name', 'started_at']
) }}

with sessions as (

    select * from {{ ref('int_sessions_labelled') }}

),

funnels as (

    select * from {{ ref('int_funnels_ordered') }}

),

periods as (

    select store_id, data_end_at, has_events from {{ ref('int_periods_set') }}

),

joined as (

    select
        sessions.*,
        greatest(sessions.started_at, funnels.last_event_at, sessions.last_ordered_at) as last_activity_at,
        sessions.has_order or coalesce(periods.has_events, false) as is_known,
        coalesce(funnels.has_view, false) as has_view,
        coalesce(funnels.has_cart, false) as has_cart,
        coalesce(funnels.has_checkout, false) as has_checkout,
        coalesce(funnels.has_purchase, false) or sessions.has_order as has_purchase,
        coalesce(funnels.is_out_of_order, false) as is_out_of_order,
        periods.data_end_at
    from sessions
    left join funnels on sessions.store_id = funnels.store_id and sessions.session_id = funnels.session_id
    left join periods on sessions.store_id = periods.store_id

),

final as (

    select
        {{ key(['store_id', 'session_id']) }} as session_key,
        {{ key(['store_id', 'customer_id']) }} as customer_key,
        channel_key, store_id, session_id, visitor_id, customer_id,
        channel_name,
        {{ campaign_label('campaign') }} as campaign_name,
        nullif(source, '') as source,
        nullif(medium, '') as medium,
        device, country, landing_page,
        case when is_known then has_view or has_cart or has_checkout or has_purchase end as has_viewed,
        case when is_known then has_cart or has_checkout or has_purchase end as has_added_to_cart,
        case when is_known then has_checkout or has_purchase end as has_checked_out,
        case when is_known then has_purchase end as has_purchased,
        is_out_of_order,
        not has_purchase and last_activity_at > {{ dbt.dateadd('hour', -24, 'data_end_at') }} as is_pending,
        is_built,
        {{ local_date('started_at') }} as session_date,
        started_at,
        last_activity_at
    from joined

)

select * from final
