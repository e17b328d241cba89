-- Grain: one span of days whose orders, or whose customers won on them, the passing of time may reach: what a window gained
-- or lost, and who has just lived through the days that a judgement asks for. Empty in a full refresh.
{%- set moved = 'min(_change) <> max(_change)' %}

with windows as (

    select store_id, period as window_name, start_date, end_date, _change, _run from {{ changed('int_decision_windows_set') }}
    union all
    select store_id, cast(horizon_days as {{ dbt.type_string() }}), start_date, end_date, _change, _run
    from {{ changed('int_variant_windows_set') }}

),

-- a window that moved gained and lost days at its ends; one that came or went did so with all its days
windows_moved as (

    select
        store_id,
        min(start_date) as first_start_date,
        case when {{ moved }} then max(start_date) else max(end_date) end as last_start_date,
        min(end_date) as first_end_date,
        max(end_date) as last_end_date
    from windows
    group by store_id, window_name, _run

),

periods_moved as (

    select
        store_id,
        min(as_of_date) as first_as_of_date,
        max(as_of_date) as last_as_of_date,
        min(censored_until_date) as first_censored_date,
        max(censored_until_date) as last_censored_date
    from {{ changed('int_periods_set') }}
    group by store_id

),

final as (

    select store_id, first_start_date as first_date, last_start_date as last_date from windows_moved
    union
    select store_id, first_end_date, last_end_date from windows_moved
    union
    select store_id, first_censored_date, last_censored_date from periods_moved
    {%- for days in [0, var('horizon_days')] + cohort_horizons() %}
    union
    select store_id, {{ add_days('first_as_of_date', '-' ~ days) }}, {{ add_days('last_as_of_date', '-' ~ days) }}
    from periods_moved
    {%- endfor %}

)

select * from final
