-- Grain: one distinct way in which a source names traffic (source, medium, campaign, channel, is_paid; '' = not given).
-- A known channel keeps its name, an unknown one stays a channel of its own; traffic without one goes through the rules in order.

with labels as (

    select * from {{ ref('int_traffic_labelled') }}

),

own_rules as (

    select * from {{ source('ops', 'channel_rules') }}

),

rules as (

    select priority, source_pattern, medium_pattern, campaign_pattern, paid_required, channel_name from own_rules
    union all
    select priority, source_pattern, medium_pattern, campaign_pattern, paid_required, channel_name from {{ ref('channel_rules') }}
    where not exists (select 1 from own_rules)

),

known as (

    select {{ channel_spelling('channel_name') }} as spelling, min(channel_name) as channel_name
    from (
        select channel_name from {{ ref('channel_names') }}
        union
        select channel_name from rules
    ) as names
    group by {{ channel_spelling('channel_name') }}

),

-- a channel stated as "source / medium" is read as such
split as (

    select
        labels.*,
        channel like '_% / _%' as is_source_medium,
        lower(case when channel like '_% / _%' then split_part(channel, ' / ', 1) else source end) as rule_source,
        lower(case when channel like '_% / _%' then split_part(channel, ' / ', 2) else medium end) as rule_medium
    from labels

),

asked as (

    select distinct rule_source, rule_medium, lower(campaign) as rule_campaign, is_paid from split
    where channel = '' or is_source_medium

),

matched as (

    select
        asked.*,
        rules.channel_name,
        row_number() over (
            partition by rule_source, rule_medium, rule_campaign, is_paid order by rules.priority, rules.channel_name
        ) as rule_rank
    from asked
    inner join rules
        on
            (coalesce(rules.source_pattern, '') = '' or {{ matches('rule_source', 'rules.source_pattern') }})
            and (coalesce(rules.medium_pattern, '') = '' or {{ matches('rule_medium', 'rules.medium_pattern') }})
            and (coalesce(rules.campaign_pattern, '') = '' or {{ matches('rule_campaign', 'rules.campaign_pattern') }})
            and (coalesce(rules.paid_required, '') = '' or lower(rules.paid_required) = is_paid)

),

final as (

    select
        split.source,
        split.medium,
        split.campaign,
        split.channel,
        split.is_paid,
        case
            when split.channel = '' then coalesce(matched.channel_name, 'Unassigned')
            when {{ channel_spelling('split.channel') }} in ('', 'not set', 'none', 'unknown', 'unassigned') then 'Unassigned'
            else
                coalesce(
                    known.channel_name,
                    matched.channel_name,
                    first_value(split.channel) over (
                        partition by {{ channel_spelling('split.channel') }} order by split.is_spend_only, split.channel
                    )
                )
        end as channel_name
    from split
    left join known on {{ channel_spelling('split.channel') }} = known.spelling
    left join matched
        on
            split.rule_source = matched.rule_source
            and split.rule_medium = matched.rule_medium
            and lower(split.campaign) = matched.rule_campaign
            and split.is_paid = matched.is_paid
            and matched.rule_rank = 1
            and (split.channel = '' or split.is_source_medium)

)

select * from final
