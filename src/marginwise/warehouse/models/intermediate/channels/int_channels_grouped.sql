-- Grain: one distinct way in which a source names traffic (source, medium, campaign, channel, is_paid; '' = not
-- given). A known channel keeps its name, an unknown one stays a channel of its own; traffic without one goes
-- through the rules.
{{ config(materialized='kept', key=['source', 'medium', 'campaign', 'channel', 'is_paid']) }}

with labels as (

    select * from {{ ref('int_traffic_labelled') }}

),

ruled as (

    select * from {{ ref('int_traffic_ruled') }}

),

names as (

    select channel_name from {{ ref('channel_names') }}
    union
    select channel_name from {{ source('ops', 'channel_rules') }}

),

known as (

    select {{ channel_spelling('channel_name') }} as spelling, min(channel_name) as channel_name
    from names
    group by {{ channel_spelling('channel_name') }}

),

-- spellings of one custom channel are one: that of visits and orders before that of spend
spelled as (

    select
        *,
        {{ channel_spelling('channel') }} as spelling,
        first_value(channel) over (
            partition by {{ channel_spelling('channel') }} order by is_spend_only, channel
        ) as custom_name
    from labels

),

named as (

    select
        spelled.source,
        spelled.medium,
        spelled.campaign,
        spelled.channel,
        spelled.is_paid,
        case
            when spelled.channel = '' then coalesce(ruled.channel_name, 'Unassigned')
            when spelled.spelling in ('', 'not set', 'none', 'unknown', 'unassigned') then 'Unassigned'
            else coalesce(known.channel_name, ruled.channel_name, spelled.custom_name)
        end as channel_name
    from spelled
    left join known on spelled.spelling = known.spelling
    left join ruled
        on
            spelled.rule_source = ruled.rule_source
            and spelled.rule_medium = ruled.rule_medium
            and lower(spelled.campaign) = ruled.rule_campaign
            and spelled.is_paid = ruled.is_paid
            and (spelled.channel = '' or spelled.is_source_medium)

),

-- 'Guests' are the orders of nobody known, in all that is judged: a channel of that name must not become one with them
final as (

    select
        source, medium, campaign, channel, is_paid,
        case when channel_name = 'Guests' then 'Guests (channel)' else channel_name end as channel_name
    from named

)

select * from final
