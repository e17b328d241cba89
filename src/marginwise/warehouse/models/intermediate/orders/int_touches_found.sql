-- Grain: one order. The last touch before it: the channel the order states, else its session's, else, for an order
-- that names no session, the customer's latest session within `last_touch_days`. An order whose session is not in the
-- data is Unassigned. All orders in a full refresh, else the touched ones.
with stated as (

    select
        store_id, order_id, customer_id, session_id, ordered_at,
        {{ traffic_label('channel') }} as channel, {{ traffic_label('campaign') }} as campaign
    from {{ ref('stg_orders') }} as orders
    where {{ is_touched('orders', 'int_orders_touched', ['store_id', 'order_id']) }}

),

channels as (

    select campaign, channel, channel_name from {{ ref('int_channels_grouped') }}
    where channel <> '' and source = '' and medium = '' and is_paid = '' and channel_name <> 'Unassigned'

),

orders as (

    select stated.*, channels.channel_name as declared_channel_name
    from stated
    left join channels on stated.channel = channels.channel and stated.campaign = channels.campaign

),

unlinked as (

    select * from orders where declared_channel_name is null and session_id is null and customer_id is not null

),
{% for name, relation, column in (('named', 'stated', 'session_id'), ('of_customers', 'unlinked', 'customer_id')) %}
sessions_{{ name }} as (

    select * from {{ ref('fct_sessions') }} as sessions
    where {{ is_asked_for('sessions', ['store_id', column], relation) }}

),
{% endfor %}
looked_back as (

    select
        unlinked.store_id,
        unlinked.order_id,
        sessions.session_key,
        sessions.channel_name,
        sessions.campaign_name,
        row_number() over (
            partition by unlinked.store_id, unlinked.order_id order by sessions.started_at desc, sessions.session_id
        ) as touch_rank
    from unlinked
    inner join sessions_of_customers as sessions
        on
            unlinked.store_id = sessions.store_id and unlinked.customer_id = sessions.customer_id
            and sessions.started_at <= unlinked.ordered_at
            and sessions.started_at >= {{ dbt.dateadd('day', '-' ~ var('last_touch_days'), 'unlinked.ordered_at') }}

),

joined as (

    select
        orders.*,
        coalesce(sessions.session_key, looked_back.session_key) as session_key,
        coalesce(sessions.channel_name, looked_back.channel_name) as session_channel_name,
        coalesce(sessions.campaign_name, looked_back.campaign_name) as session_campaign_name,
        looked_back.session_key is not null as is_looked_back
    from orders
    left join sessions_named as sessions on orders.store_id = sessions.store_id and orders.session_id = sessions.session_id
    left join looked_back
        on orders.store_id = looked_back.store_id and orders.order_id = looked_back.order_id and looked_back.touch_rank = 1

),

final as (

    select
        store_id, order_id, session_key,
        coalesce(declared_channel_name, session_channel_name, 'Unassigned') as channel_name,
        case
            when declared_channel_name is not null or session_channel_name is null then {{ campaign_label('campaign') }}
            else session_campaign_name
        end as campaign_name,
        case
            when coalesce(declared_channel_name, session_channel_name, 'Unassigned') = 'Unassigned' then 'unassigned'
            when declared_channel_name is not null then 'declared'
            when is_looked_back then 'lookback'
            else 'session'
        end as touch_basis
    from joined

)

select * from final
