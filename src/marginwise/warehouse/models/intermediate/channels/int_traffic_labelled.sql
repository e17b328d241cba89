-- Grain: one distinct way in which a source names traffic. Texts are trimmed and never null ('' = not given).
-- `is_paid` is the text 'true', 'false' or ''; `is_spend_only` tells names that no visit, order or customer carries.
{%- set visits_come = told_if_only_came('chk_sessions') %}

with named as (

    -- nothing given at all
    select
        cast(null as varchar) as source,
        cast(null as varchar) as medium,
        cast(null as varchar) as campaign,
        cast(null as varchar) as channel,
        cast(null as boolean) as is_paid,
        1 as is_spend,
        0 as is_visit
    union all
    select distinct source, medium, campaign, channel, is_paid, 0, 1 from {{ ref('stg_sessions') }} as sessions
    {%- if visits_come %}
    where {{ is_among('sessions', ['store_id', 'session_id'], visits_come) }}
    {%- endif %}
    union all
    select distinct null, null, campaign, channel, cast(null as boolean), 0, 0 from {{ ref('stg_orders') }}
    union all
    select distinct null, null, null, acquisition_channel, cast(null as boolean), 0, 0 from {{ ref('stg_customers') }}
    union all
    select null, null, campaign, channel, null, 1, 0 from {{ ref('stg_marketing_spend') }}
    union all
    select null, null, campaign, channel, null, 1, 0 from {{ source('ops', 'assumed_spend') }}

),

labelled as (

    select
        {{ traffic_label('source') }} as source,
        {{ traffic_label('medium') }} as medium,
        {{ traffic_label('campaign') }} as campaign,
        {{ traffic_label('channel') }} as channel,
        {{ traffic_paid('is_paid') }} as is_paid,
        is_spend,
        is_visit
    from named
    {%- if visits_come %}
    union all
    -- visits of before: what they name stands here since they came
    select source, medium, campaign, channel, is_paid, 0, 1 from {{ this }}
    where is_named_by_visit
    {%- endif %}

),

distinct_labels as (

    select
        source,
        medium,
        campaign,
        channel,
        is_paid,
        min(is_spend) = 1 as is_spend_only,
        max(is_visit) = 1 as is_named_by_visit,
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
