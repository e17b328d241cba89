-- Grain: one store-local day, from the first day of data to the last, whole years, no day left out.

with days as (

    select min(day) as first_day, max(day) as last_day
    from (
        -- also of test orders, which are no data of the store
        select {{ local_date('min(ordered_at)') }} as day from {{ ref('stg_orders') }}
        union all
        select {{ local_date('data_end_at') }} from {{ ref('int_periods_set') }}
        union all
        select {{ local_date('refunded_at') }} from {{ ref('stg_refunds') }}
        union all
        select {{ local_date('started_at') }} from {{ ref('stg_sessions') }}
        union all
        select spend_date from {{ ref('stg_marketing_spend') }}
        union all
        select date_from from {{ source('ops', 'assumed_spend') }}
        union all
        select date_to from {{ source('ops', 'assumed_spend') }}
    ) as mentioned

),

calendar as (

    select series.date_day
    from days
    cross join lateral
        {{ day_series(
            "cast(date_trunc('year', first_day) as date)",
            "cast(date_trunc('year', last_day) + interval '1 year' as date) - 1"
        ) }}
            as series

),

final as (

    select
        date_day,
        cast(date_trunc('month', date_day) as date) as month_start_date,
        cast(date_trunc('week', date_day) as date) as week_start_date,
        cast(date_trunc('quarter', date_day) as date) as quarter_start_date,
        cast(extract(year from date_day) as integer) as year_number,
        cast(extract(month from date_day) as integer) as month_number,
        cast(extract(isodow from date_day) as integer) as weekday_number,
        extract(isodow from date_day) >= 6 as is_weekend
    from calendar

)

select * from final
