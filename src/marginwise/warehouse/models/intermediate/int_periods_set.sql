-- Grain: one store. The days that bound every number: as of which day, which customers are left-censored, which window is judged.
{{ config(materialized='kept', key=['store_id']) }}
{%- set visits_come, events_come = told_if_only_came('chk_sessions'), told_if_only_came('chk_events') %}
{%- set kinds = [
    {'rows': ref('stg_sessions'), 'id': 'session_id', 'at': 'started_at', 'last': 'last_session_at', 'come': visits_come},
    {'rows': ref('stg_events'), 'id': 'event_id', 'at': 'occurred_at', 'last': 'last_event_at', 'come': events_come},
] %}

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

    select store_id, 'last_order_at' as what, last_at, first_date, last_date from orders
    {%- for kind in kinds %}
    union all
    select store_id, '{{ kind.last }}', max({{ kind.at }}), null, null from {{ kind.rows }} as activities
    {{ 'where ' ~ is_among('activities', ['store_id', kind.id], kind.come) if kind.come }}
    group by store_id
    {%- if kind.come %}
    union all
    select store_id, '{{ kind.last }}', {{ kind.last }}, null, null from {{ this }}
    where {{ kind.last }} is not null
    {%- endif %}
    {%- endfor %}

),

spans as (

    select
        store_id,
        max(last_at) as data_end_at,
        {%- for kind in kinds %}
        max(case when what = '{{ kind.last }}' then last_at end) as {{ kind.last }},
        {%- endfor %}
        min(first_date) as data_start_date,
        {{ as_of_day('last_date') }} as as_of_date
    from activity
    group by store_id

),

-- before the data begin, first orders are unseen: unless the store opened just then, H days pass before a customer counts as new
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
        last_session_at, last_event_at, last_session_at is not null as has_sessions, last_event_at is not null as has_events
    from windowed

)

select * from final
