-- Grain: one session. Steps are cumulative: a later step implies the earlier ones. They are null where the store has no events.
-- `is_pending`: not bought yet and still within 24 hours of its last activity when the data end; neither won nor lost.

with sessions as (

    select * from {{ ref('int_sessions_built') }}

),

channels as (

    select * from {{ ref('int_channels_grouped') }}

),

channel_keys as (

    select store_id, channel_name, channel_key from {{ ref('dim_channels') }}

),

visitors as (

    select * from {{ ref('int_visitors_linked') }}

),

funnels as (

    select * from {{ ref('int_funnels_ordered') }}

),

stores_with_events as (

    select distinct store_id from {{ ref('stg_events') }}

),

periods as (

    select store_id, data_end_at from {{ ref('int_periods_set') }}

),

orders as (

    select store_id, session_id, max(customer_id) as customer_id, max(ordered_at) as last_ordered_at from {{ ref('stg_orders') }}
    where session_id is not null and status <> 'void' and not coalesce(is_test, false)
    group by store_id, session_id

),

joined as (

    select
        sessions.*,
        channels.channel_name,
        channel_keys.channel_key,
        coalesce(sessions.customer_id, orders.customer_id, visitors.customer_id) as known_customer_id,
        greatest(sessions.started_at, funnels.last_event_at, orders.last_ordered_at) as last_activity_at,
        stores_with_events.store_id is not null as has_events,
        coalesce(funnels.has_view, false) as has_view,
        coalesce(funnels.has_cart, false) as has_cart,
        coalesce(funnels.has_checkout, false) as has_checkout,
        coalesce(funnels.has_purchase, false) or orders.session_id is not null as has_purchase,
        coalesce(funnels.is_out_of_order, false) as is_out_of_order,
        periods.data_end_at
    from sessions
    inner join channels
        on
            sessions.source = channels.source
            and sessions.medium = channels.medium
            and sessions.campaign = channels.campaign
            and sessions.channel = channels.channel
            and sessions.is_paid = channels.is_paid
    left join channel_keys on sessions.store_id = channel_keys.store_id and channels.channel_name = channel_keys.channel_name
    left join visitors on sessions.store_id = visitors.store_id and sessions.visitor_id = visitors.visitor_id
    left join funnels on sessions.store_id = funnels.store_id and sessions.session_id = funnels.session_id
    left join orders on sessions.store_id = orders.store_id and sessions.session_id = orders.session_id
    left join stores_with_events on sessions.store_id = stores_with_events.store_id
    left join periods on sessions.store_id = periods.store_id

),

final as (

    select
        {{ key(['store_id', 'session_id']) }} as session_key,
        {{ key(['store_id', 'known_customer_id']) }} as customer_key,
        channel_key, store_id, session_id, visitor_id,
        known_customer_id as customer_id,
        channel_name,
        {{ campaign_label('campaign') }} as campaign_name,
        nullif(source, '') as source,
        nullif(medium, '') as medium,
        device, country, landing_page,
        case when has_events or has_purchase then has_view or has_cart or has_checkout or has_purchase end as has_viewed,
        case when has_events or has_purchase then has_cart or has_checkout or has_purchase end as has_added_to_cart,
        case when has_events or has_purchase then has_checkout or has_purchase end as has_checked_out,
        case when has_events or has_purchase then has_purchase end as has_purchased,
        is_out_of_order,
        not has_purchase and last_activity_at > {{ dbt.dateadd('hour', -24, 'data_end_at') }} as is_pending,
        is_built,
        {{ local_date('started_at') }} as session_date,
        started_at,
        last_activity_at
    from joined

)

select * from final
