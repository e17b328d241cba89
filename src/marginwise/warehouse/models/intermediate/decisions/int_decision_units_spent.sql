-- Grain: one channel, and again one campaign (unit_kind), with spend in the decision window: the very days on which
-- the customers judged were acquired. Never sum over both kinds.
with windows as (

    select * from {{ ref('int_decision_windows_set') }}
    where period = 'current'

),

spend as (

    select * from {{ ref('fct_marketing_spend') }}

),

window_spend as (

    select spend.*
    from spend
    inner join windows
        on spend.store_id = windows.store_id and spend.spend_date between windows.start_date and windows.end_date

),

unit_spend as (

    select store_id, 'channel' as unit_kind, channel_name as unit_id, basis, spend_amount
    from window_spend
    union all
    select store_id, 'campaign', {{ campaign_unit_id('channel_name', 'campaign_name') }}, basis, spend_amount
    from window_spend
    where {{ is_campaign('campaign_name') }}

),

final as (

    select
        store_id,
        unit_kind,
        unit_id,
        sum(spend_amount) as spend_amount,
        max(case when basis = 'assumed' then 1 else 0 end) = 1 as is_spend_assumed
    from unit_spend
    group by store_id, unit_kind, unit_id

)

select * from final
