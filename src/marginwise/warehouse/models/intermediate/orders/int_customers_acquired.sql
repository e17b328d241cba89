-- Grain: one customer with at least one sale. The channel that won the customer, once and for all: declared; else that of the
-- first session within the lookback before the first order; else the first order's; else Unassigned.

with first_orders as (

    select * from {{ ref('fct_orders') }}
    where order_number = 1

),

sessions as (

    select store_id, customer_id, session_id, channel_name, campaign_name, started_at from {{ ref('fct_sessions') }}
    where customer_id is not null

),

periods as (

    select * from {{ ref('int_periods_set') }}

),

declared as (

    select
        customers.store_id,
        customers.customer_id,
        channels.channel_name,
        row_number() over (
            partition by customers.store_id, customers.customer_id
            order by customers.updated_at desc nulls last, customers._file_hash, customers._row_number
        ) as version_rank
    from {{ ref('stg_customers') }} as customers
    inner join {{ ref('int_channels_grouped') }} as channels
        on
            {{ traffic_label('customers.acquisition_channel') }} = channels.channel
            and channels.source = '' and channels.medium = '' and channels.campaign = '' and channels.is_paid = ''
    where channels.channel <> '' and channels.channel_name <> 'Unassigned'

),

visited as (

    select
        first_orders.store_id,
        first_orders.customer_id,
        sessions.channel_name,
        sessions.campaign_name,
        row_number() over (
            partition by first_orders.store_id, first_orders.customer_id order by sessions.started_at, sessions.session_id
        ) as visit_rank
    from first_orders
    inner join sessions
        on
            first_orders.store_id = sessions.store_id
            and first_orders.customer_id = sessions.customer_id
            and sessions.started_at <= first_orders.ordered_at
            and sessions.started_at >= {{ dbt.dateadd('day', -var('session_lookback_days'), 'first_orders.ordered_at') }}

),

touched as (

    select
        first_orders.*,
        declared.channel_name as declared_channel,
        visited.channel_name as visit_channel,
        visited.campaign_name as visit_campaign,
        coalesce(visited.channel_name, first_orders.channel_name) as touch_channel
    from first_orders
    left join declared
        on
            first_orders.store_id = declared.store_id
            and first_orders.customer_id = declared.customer_id
            and declared.version_rank = 1
    left join visited
        on
            first_orders.store_id = visited.store_id
            and first_orders.customer_id = visited.customer_id
            and visited.visit_rank = 1

),

final as (

    select
        touched.customer_key,
        touched.store_id, touched.customer_id,
        touched.order_id as first_order_id,
        touched.order_date as first_order_date,
        coalesce(touched.declared_channel, touched.touch_channel) as acquisition_channel,
        case coalesce(touched.declared_channel, touched.touch_channel)
            when touched.visit_channel then touched.visit_campaign
            when touched.channel_name then touched.campaign_name
            else '(not set)'
        end as acquisition_campaign,
        case
            when touched.declared_channel is not null then 'declared'
            when touched.touch_channel = 'Unassigned' then 'unassigned'
            when touched.visit_channel is not null then 'session'
            else 'first_order'
        end as acquisition_basis,
        touched.order_date < periods.censored_until_date as is_left_censored,
        {{ add_days('touched.order_date', var('horizon_days')) }} <= periods.as_of_date as is_mature,
        touched.ordered_at as first_order_at
    from touched
    inner join periods on touched.store_id = periods.store_id

)

select * from final
