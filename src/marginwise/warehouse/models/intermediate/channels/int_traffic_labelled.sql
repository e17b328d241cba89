-- Grain: one distinct way in which a source names traffic. Texts are trimmed and never null ('' = not given).
-- `is_paid` is the text 'true', 'false' or ''.

with named as (

    -- nothing given at all
    select
        cast(null as varchar) as source,
        cast(null as varchar) as medium,
        cast(null as varchar) as campaign,
        cast(null as varchar) as channel,
        cast(null as boolean) as is_paid
    union
    select source, medium, campaign, channel, is_paid from {{ ref('stg_sessions') }}
    union
    select null, null, campaign, channel, null from {{ ref('stg_orders') }}
    union
    select null, null, null, acquisition_channel, null from {{ ref('stg_customers') }}
    union
    select null, null, campaign, channel, null from {{ ref('stg_marketing_spend') }}
    union
    select null, null, campaign, channel, null from {{ source('ops', 'assumed_spend') }}

),

final as (

    select distinct
        {{ traffic_label('source') }} as source,
        {{ traffic_label('medium') }} as medium,
        {{ traffic_label('campaign') }} as campaign,
        {{ traffic_label('channel') }} as channel,
        {{ traffic_paid('is_paid') }} as is_paid
    from named

)

select * from final
