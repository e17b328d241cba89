-- Grain: one unit (unit_kind, unit_id), period and customer, guest order or nameless refund (subject_key).
-- Never sum over unit kinds: channels, campaigns, partners and categories each tell the same money.
{{ config(materialized='view') }}
{% set columns = ['period', 'subject_key', 'customer_key', 'entered_date'] + evidence_sum_names() + ['has_repeated'] %}

with acquired as not materialized (

    select * from {{ ref('int_acquired_margins_summed') }}

),

assortment as (

    select * from {{ ref('int_assortment_margins_summed') }}

),

final as (

    select store_id, 'channel' as unit_kind, channel_name as unit_id, {{ columns | join(', ') }}
    from acquired
    union all
    select
        store_id, 'campaign', {{ campaign_unit_id('channel_name', 'campaign_name') }}, {{ columns | join(', ') }}
    from acquired
    where {{ is_campaign('campaign_name') }}
    union all
    select store_id, unit_kind, unit_id, {{ columns | join(', ') }}
    from assortment

)

select * from final
