-- Grain: one store and horizon (horizon_days): the window whose customers a run with that horizon would judge, by the
-- rules of int_periods_set and int_decision_windows_set. For the configured horizon it is the window judged.
{{ config(materialized='kept', key=['store_id', 'horizon_days']) }}

with periods as (

    select store_id, as_of_date, data_start_date from {{ ref('int_periods_set') }}

),

horizons as (

    {% for days in variant_horizons() -%}
    select {{ days }} as horizon_days
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

censored as (

    select
        periods.store_id,
        periods.as_of_date,
        horizons.horizon_days,
        case
            when {{ declared_day('opened_on') }} >= {{ add_days('periods.data_start_date', '-horizons.horizon_days') }}
                then periods.data_start_date
            else {{ add_days('periods.data_start_date', 'horizons.horizon_days') }}
        end as censored_until_date,
        {{ add_days('periods.as_of_date', '-horizons.horizon_days') }} as mature_until_date
    from periods
    cross join horizons

),

ended as (

    select *, coalesce({{ declared_day('window_end') }}, mature_until_date) as window_end_date from censored

),

final as (

    select
        store_id,
        as_of_date,
        horizon_days,
        greatest(
            censored_until_date,
            coalesce({{ declared_day('window_start') }}, {{ add_days('window_end_date', '1 - ' ~ var('window_days')) }})
        ) as start_date,
        least(window_end_date, mature_until_date) as end_date
    from ended

)

select * from final
