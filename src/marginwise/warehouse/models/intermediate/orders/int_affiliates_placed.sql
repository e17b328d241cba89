-- Grain: one store: does it name partners, and do its spend data already hold what affiliates are paid, where the
-- settings count it there?
{{ config(materialized='kept', key=['store_id']) }}

with stores as (

    select store_id from {{ ref('int_periods_set') }}

),

partners as (

    select distinct store_id from {{ ref('dim_partners') }}

),

channels as (

    select distinct channel from {{ ref('int_channels_grouped') }}
    where channel_name = 'Affiliates' and channel <> ''

),

spend as (

    select distinct spend.store_id
    from {{ ref('stg_marketing_spend') }} as spend
    inner join channels on {{ traffic_label('spend.channel') }} = channels.channel
    where '{{ var("affiliate_commission_in") }}' = 'spend'

),

final as (

    select
        stores.store_id,
        partners.store_id is not null as has_partners,
        spend.store_id is not null as has_affiliates_in_spend
    from stores
    left join partners on stores.store_id = partners.store_id
    left join spend on stores.store_id = spend.store_id

)

select * from final
