-- Grain: one day, channel and campaign as a source states it, or one day of a declared spend (basis 'assumed').
-- Spend without orders stays. What affiliates are paid is counted once: spend on Affiliates is left out (amount 0, is_left_out)
-- where the settings count their commission in CM2 and there is one.

with stated as (

    select
        store_id, spend_date, channel, campaign, spend_amount, currency, impressions, clicks, platform_conversions,
        platform_revenue_amount, 'known' as basis, _source, _file_hash, _row_number
    from {{ ref('stg_marketing_spend') }}

),

declared as (

    select
        *,
        {{ days_between('date_from', 'date_to') }} + 1 as days_count
    from {{ source('ops', 'assumed_spend') }}

),

-- declared spend belongs to the main store, or to the only one; spread evenly, the days add up exactly
spread as (

    select
        stores.store_id, dates.date_day as spend_date, declared.channel, declared.campaign,
        sum(
            {{ money("cast(declared.amount as double precision) * (" ~ days_between('declared.date_from', 'dates.date_day')
                ~ " + 1) / days_count") }}
            - {{ money("cast(declared.amount as double precision) * " ~ days_between('declared.date_from', 'dates.date_day')
                ~ " / days_count") }}
        ) as spend_amount,
        declared.currency
    from declared
    inner join {{ ref('dim_dates') }} as dates
        on dates.date_day >= declared.date_from and dates.date_day <= declared.date_to
    inner join (
        select coalesce(max(case when store_id = 'main' then store_id end), min(store_id)) as store_id
        from {{ ref('int_periods_set') }}
    ) as stores on stores.store_id is not null
    group by stores.store_id, dates.date_day, declared.channel, declared.campaign, declared.currency

),

united as (

    select * from stated
    union all
    select
        store_id, spend_date, channel, campaign, spend_amount, currency, null, null, null, null, 'assumed',
        'settings', null, null
    from spread

),

channels as (

    select channel, campaign, channel_name from {{ ref('int_channels_grouped') }}
    where source = '' and medium = '' and is_paid = ''

),

exchange_rates as (

    select * from {{ ref('stg_exchange_rates') }}

),

affiliates_in_commission as (

    select distinct store_id from {{ ref('fct_order_lines') }}
    where commission_kind = 'affiliate' and '{{ var("affiliate_commission_in") }}' = 'commission' and is_counted

),

converted as (

    select
        united.*,
        coalesce(channels.channel_name, 'Unassigned') as channel_name,
        {{ converted('united.spend_amount', exchange_rate_of('united', 'exchange_rates')) }} as stated_spend_amount,
        {{ converted('united.platform_revenue_amount', exchange_rate_of('united', 'exchange_rates')) }} as platform_revenue,
        channels.channel_name = 'Affiliates' and affiliates_in_commission.store_id is not null as is_left_out
    from united
    left join channels
        on
            {{ traffic_label('united.channel') }} = channels.channel
            and {{ traffic_label('united.campaign') }} = channels.campaign
    left join exchange_rates
        on
            united.store_id = exchange_rates.store_id
            and united.spend_date = exchange_rates.date
            and united.currency = exchange_rates.currency
    left join affiliates_in_commission on united.store_id = affiliates_in_commission.store_id

),

final as (

    select
        {{ key(['store_id', 'spend_date', 'channel', "coalesce(campaign, '')", 'basis']) }} as marketing_spend_key,
        {{ key(['store_id', 'channel_name']) }} as channel_key,
        store_id, spend_date, channel_name,
        {{ campaign_label('campaign') }} as campaign_name,
        channel as stated_channel,
        case when coalesce(is_left_out, false) then 0 else stated_spend_amount end as spend_amount,
        stated_spend_amount, impressions, clicks, platform_conversions,
        platform_revenue as platform_revenue_amount,
        basis, coalesce(is_left_out, false) as is_left_out,
        _source, _file_hash, _row_number
    from converted

)

select * from final
