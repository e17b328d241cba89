-- Grain: one day, channel and campaign as stated, or one day of a declared spend (basis 'assumed'). Spend without
-- orders stays. What affiliates are paid is counted once: spend on Affiliates is left out (amount 0, is_left_out)
-- where the settings count their commission in CM2 and there is one.

with spend as (

    select * from {{ ref('int_spend_united') }}

),

channels as (

    select channel, campaign, channel_name from {{ ref('int_channels_grouped') }}
    where source = '' and medium = '' and is_paid = ''

),

exchange_rates as (

    select * from {{ ref('stg_exchange_rates') }}

),

affiliates as (

    select distinct store_id from {{ ref('fct_order_lines') }}
    where commission_kind = 'affiliate' and is_counted and '{{ var("affiliate_commission_in") }}' = 'commission'

),

converted as (

    select
        spend.*,
        coalesce(channels.channel_name, 'Unassigned') as channel_name,
        {{ exchange_rate_of('spend', 'exchange_rates') }} as exchange_rate,
        coalesce(channels.channel_name = 'Affiliates' and affiliates.store_id is not null, false) as is_left_out
    from spend
    left join channels
        on
            {{ traffic_label('spend.channel') }} = channels.channel
            and {{ traffic_label('spend.campaign') }} = channels.campaign
    left join exchange_rates
        on
            spend.store_id = exchange_rates.store_id
            and spend.spend_date = exchange_rates.date
            and spend.currency = exchange_rates.currency
    left join affiliates on spend.store_id = affiliates.store_id

),

final as (

    select
        {{ key(['store_id', 'spend_date', 'channel', "coalesce(campaign, '')", 'basis']) }} as marketing_spend_key,
        {{ key(['store_id', 'channel_name']) }} as channel_key,
        store_id, spend_date, channel_name,
        {{ campaign_label('campaign') }} as campaign_name,
        channel as stated_channel,
        currency,
        cast(
            case when is_left_out then 0 else {{ converted('spend_amount', 'exchange_rate') }} end as decimal(18, 4)
        ) as spend_amount,
        {{ converted('spend_amount', 'exchange_rate') }} as stated_spend_amount,
        impressions, clicks,
        cast(platform_conversions as decimal(18, 4)) as platform_conversions,
        {{ converted('platform_revenue_amount', 'exchange_rate') }} as platform_revenue_amount,
        basis, is_left_out,
        _source, _file_hash, _row_number
    from converted

)

select * from final
