-- Grain: one span of days that a window gained or lost as time passed: customers won on them, and guest orders of them, come
-- or go; of the window that is judged (is_of_decision) also all that was sold on them. Empty in a full refresh.
{%- set moved = 'min(_change) <> max(_change)' %}

with windows as (

    select store_id, period as window_name, true as is_of_decision, start_date, end_date, _change, _run
    from {{ changed('int_decision_windows_set') }}
    where start_date is not null and end_date is not null
    union all
    select store_id, cast(horizon_days as {{ dbt.type_string() }}), false, start_date, end_date, _change, _run
    from {{ changed('int_variant_windows_set') }}
    where start_date is not null and end_date is not null

),

-- a window that moved gained or lost the days between its starts and between its ends; one that came or went, all its days
windows_moved as (

    select
        store_id,
        is_of_decision,
        min(start_date) as first_start_date,
        case when {{ moved }} then {{ add_days('max(start_date)', -1) }} else max(end_date) end as last_start_date,
        {{ add_days('min(end_date)', 1) }} as first_end_date,
        max(end_date) as last_end_date
    from windows
    group by store_id, window_name, is_of_decision, _run

),

spans as (

    select store_id, is_of_decision, first_start_date as first_date, last_start_date as last_date from windows_moved
    union
    select store_id, is_of_decision, first_end_date, last_end_date from windows_moved

)

select * from spans
where first_date <= last_date
