-- Grain: one store and period: 'current' is the window judged, 'previous' the one of the same length before it.
-- Only days whose customers are new and have H days behind them; spend is taken from these very days.
{{ config(materialized='kept', key=['store_id', 'period']) }}
with periods as (

    select * from {{ ref('int_periods_set') }}

),

windows as (

    select
        store_id,
        as_of_date,
        censored_until_date,
        greatest(window_start_date, censored_until_date) as start_date,
        least(window_end_date, {{ add_days('as_of_date', -var('horizon_days')) }}) as end_date
    from periods

),

final as (

    select store_id, 'current' as period, start_date, end_date, as_of_date, censored_until_date from windows
    union all
    select
        store_id,
        'previous',
        start_date - ({{ days_between('start_date', 'end_date') }} + 1),
        {{ add_days('start_date', -1) }},
        as_of_date,
        censored_until_date
    from windows
    where
        start_date <= end_date
        and start_date - ({{ days_between('start_date', 'end_date') }} + 1) >= censored_until_date

)

select * from final
