-- Grain: one distinct way in which a source names traffic. Texts are trimmed and never null ('' = not given).
-- `is_paid` is the text 'true', 'false' or ''; `is_spend_only` tells names that no visit, order or customer carries.

with named as (

    -- nothing given at all
    select
        cast(null as varchar) as source,
        cast(null as varchar) as medium,
        cast(null as varchar) as campaign,
        cast(null as varchar) as channel,
        cast(null as boolean) as is_paid,
        1 as is_spend
    union all
    select distinct source, medium, campaign, channel, is_paid, 0 from {{ ref('stg_sessions') }}
    union all
    select distinct null, null, campaign, channel, cast(null as boolean), 0 from {{ ref('stg_orders') }}
    union all
    select distinct null, null, null, acquisition_channel, cast(null as boolean), 0 from {{ ref('stg_customers') }}
    union all
    select null, null, campaign, channel, null, 1 from {{ ref('stg_marketing_spend') }}
    union all
    select null, null, campaign, channel, null, 1 from {{ source('ops', 'assumed_spend') }}

),

labelled as (

    select
        {{ traffic_label('source') }} as source,
        {{ traffic_label('medium') }} as medium,
        {{ traffic_label('campaign') }} as campaign,
        {{ traffic_label('channel') }} as channel,
        {{ traffic_paid('is_paid') }} as is_paid,
        is_spend
    from named

),

distinct_labels as (

    select
        source,
        medium,
        campaign,
        channel,
        is_paid,
        min(is_spend) = 1 as is_spend_only,
        channel like '_% / _%' as is_source_medium
    from labelled
    group by source, medium, campaign, channel, is_paid

),

-- a channel stated as "source / medium" is read as such
final as (

    select
        *,
        lower(case when is_source_medium then split_part(channel, ' / ', 1) else source end) as rule_source,
        lower(case when is_source_medium then split_part(channel, ' / ', 2) else medium end) as rule_medium
    from distinct_labels

)

select * from final
