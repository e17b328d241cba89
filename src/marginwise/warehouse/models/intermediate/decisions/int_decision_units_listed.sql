-- Grain: one unit that is judged (unit_kind, unit_id). Channels are listed for a customer, guest or spend at any time,
-- campaigns for a customer or spend since the window began: spend without a single customer must not vanish.
with windows as (

    select * from {{ ref('int_decision_windows_set') }} where period = 'current'

),

spend as (

    select * from {{ ref('fct_marketing_spend') }}

),

-- units with evidence in the window
evident as (

    select store_id, unit_kind, unit_id from {{ ref('int_decision_units_summed') }} where orders_count is not null

),

-- a refund that names neither order nor customer is the guests' too
guests as (

    select store_id from {{ ref('fct_orders') }} where is_counted and customer_key is null
    union
    select store_id from evident where unit_kind = 'channel' and unit_id = 'Guests'

),

channels as (

    select * from {{ ref('dim_channels') }}

),

partners as (

    select * from {{ ref('dim_partners') }} where is_current

),

touched as (

    select
        store_id, acquisition_channel as channel_name, acquisition_campaign as campaign_name,
        max(first_order_date) as last_touch_date
    from {{ ref('int_customers_acquired') }}
    group by store_id, acquisition_channel, acquisition_campaign
    union all
    select store_id, channel_name, campaign_name, max(spend_date) from spend
    group by store_id, channel_name, campaign_name

),

units as (

    select distinct
        store_id, 'channel' as unit_kind, channel_name as unit_id, channel_name as unit_name, channel_name,
        null as own_lever
    from touched
    union all
    select store_id, 'channel', 'Guests', 'Guests', null, null from guests
    union all
    select distinct
        touched.store_id, 'campaign', {{ campaign_unit_id('channel_name', 'campaign_name') }},
        campaign_name, channel_name, null
    from touched
    inner join windows on touched.store_id = windows.store_id
    where
        {{ is_campaign('touched.campaign_name') }}
        and touched.last_touch_date >= least(windows.start_date, windows.end_date)
    union all
    select
        evident.store_id, unit_kind, unit_id, coalesce(partners.partner_name, unit_id), null,
        case when unit_kind = 'partner' then 'terms' else 'assortment' end
    from evident
    left join partners
        on evident.store_id = partners.store_id and evident.unit_kind = 'partner' and evident.unit_id = partners.partner_id
    where unit_kind in ('partner', 'category')

),

final as (

    select
        units.store_id,
        units.unit_kind,
        units.unit_id,
        units.unit_name,
        case when units.unit_kind = 'campaign' then units.channel_name end as parent_name,
        coalesce(channels.is_paid, false) as is_paid,
        coalesce(units.own_lever, channels.lever, 'effort') as lever
    from units
    left join channels on units.store_id = channels.store_id and units.channel_name = channels.channel_name

)

select * from final
