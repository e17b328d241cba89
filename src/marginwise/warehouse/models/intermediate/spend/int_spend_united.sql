-- Grain: one day, channel and campaign of spend, stated by a source ('known') or declared in the settings
-- ('assumed'), in the currency of the row. Declared spend belongs to the main store, or to the only one; its days
-- add up exactly.
{{ config(materialized='view') }}

with stated as (

    select * from {{ ref('stg_marketing_spend') }}

),

declared as (

    select *, {{ days_between('date_from', 'date_to') }} + 1 as days_count from {{ source('ops', 'assumed_spend') }}

),

dates as (

    select date_day from {{ ref('dim_dates') }}

),

stores as (

    select coalesce(max(case when store_id = 'main' then store_id end), min(store_id)) as store_id
    from {{ ref('int_periods_set') }}

),

shared as (

    select
        stores.store_id, dates.date_day as spend_date, declared.channel, declared.campaign, declared.currency,
        declared.amount,
        cast({{ days_between('declared.date_from', 'dates.date_day') }} + 1 as double precision) / days_count
            as share_after,
        cast({{ days_between('declared.date_from', 'dates.date_day') }} as double precision) / days_count
            as share_before
    from declared
    inner join dates on declared.date_from <= dates.date_day and declared.date_to >= dates.date_day
    cross join stores
    where stores.store_id is not null

),

final as (

    select
        store_id, spend_date, channel, campaign, currency, spend_amount, impressions, clicks, platform_conversions,
        platform_revenue_amount, 'known' as basis, _source, _file_hash, _row_number
    from stated
    union all
    select
        store_id, spend_date, channel, campaign, currency, sum({{ allocated('amount') }}), null, null, null,
        null, 'assumed', 'settings', null, null
    from shared
    group by store_id, spend_date, channel, campaign, currency

)

select * from final
