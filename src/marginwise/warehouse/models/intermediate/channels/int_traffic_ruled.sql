-- Grain: one distinct source, medium, campaign (lower case, '' = not given) and paid flag that a rule knows: the
-- channel of the first rule that matches. The store's own rules replace the seed's.
{{ config(materialized='view') }}

with labels as (

    select * from {{ ref('int_traffic_labelled') }}

),

own_rules as (

    select * from {{ source('ops', 'channel_rules') }}

),

seed_rules as (

    select * from {{ ref('channel_rules') }}

),

rules as (

    select priority, source_pattern, medium_pattern, campaign_pattern, paid_required, channel_name from own_rules
    union all
    select priority, source_pattern, medium_pattern, campaign_pattern, paid_required, channel_name from seed_rules
    where not exists (select 1 from own_rules)

),

asked as (

    select distinct rule_source, rule_medium, lower(campaign) as rule_campaign, is_paid from labels
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

    select rule_source, rule_medium, rule_campaign, is_paid, channel_name from matched
    where rule_rank = 1

)

select * from final
