-- Grain: one store. The days that bound every number: as of which day, which customers are left-censored, which
-- window is judged.
{{ config(materialized='kept', key=['store_id']) }}

with orders_dated as (

    select store_id, ordered_at, case when not coalesce(is_test, false) then {{ local_date('ordered_at') }} end as order_date
    from {{ ref('stg_orders') }}

),

orders as (

    select store_id, max(ordered_at) as last_at, min(order_date) as first_date, max(order_date) as last_date
    from orders_dated
    group by store_id

),

activity as (

    select store_id, last_at, 0 as is_session, 0 as is_event from orders
    union all
    select store_id, max(started_at), 1, 0 from {{ ref('stg_sessions') }} group by store_id
    union all
    select store_id, max(occurred_at), 0, 1 from {{ ref('stg_events') }} group by store_id

),

ends as (

    select store_id, max(last_at) as data_end_at, max(is_session) = 1 as has_sessions, max(is_event) = 1 as has_events
    from activity
    group by store_id

),

spans as (

    select
        ends.store_id,
        ends.data_end_at,
        ends.has_sessions,
        ends.has_events,
        min(orders.first_date) as data_start_date,
        {{ as_of_day('orders.last_date') }} as as_of_date
    from ends
    left join orders on ends.store_id = orders.store_id
    group by ends.store_id, ends.data_end_at, ends.has_sessions, ends.has_events

),

-- before the data begin, first orders are unseen: unless the store opened just then, H days pass before a customer
-- counts as new
censored as (

    select
        *,
        case
            when {{ declared_day('opened_on') }} >= {{ add_days('data_start_date', '-' ~ var('horizon_days')) }} then data_start_date
            else {{ add_days('data_start_date', var('horizon_days')) }}
        end as censored_until_date
    from spans

),

ended as (

    select
        *,
        coalesce({{ declared_day('window_end') }}, {{ add_days('as_of_date', '-' ~ var('horizon_days')) }}) as window_end_date
    from censored

),

windowed as (

    select
        *,
        coalesce(
            {{ declared_day('window_start') }},
            greatest(censored_until_date, {{ add_days('window_end_date', '1 - ' ~ var('window_days')) }})
        ) as window_start_date
    from ended

),

final as (

    select
        store_id, as_of_date, data_start_date, data_end_at, censored_until_date, window_start_date, window_end_date,
        {{ var('horizon_days') }} as horizon_days,
        has_sessions, has_events
    from windowed

)

select * from final
