-- Grain: one campaign within a channel of one store, from orders, visits and spend; '(not set)' where none is named.

-- visits are read as they are counted by campaign: of all of them, no other is named
with named as (

    select store_id, channel_name, campaign_name from {{ ref('int_orders_resolved') }}
    union
    select store_id, channel_name, campaign_name from {{ ref('int_funnels_counted') }}
    where unit_kind = 'campaign'
    union
    select store_id, channel_name, campaign_name from {{ ref('fct_marketing_spend') }}
    union
    select store_id, acquisition_channel, acquisition_campaign from {{ ref('int_customers_acquired') }}

),

final as (

    select
        {{ key(['store_id', 'channel_name', 'campaign_name']) }} as campaign_key,
        {{ key(['store_id', 'channel_name']) }} as channel_key,
        store_id,
        channel_name,
        campaign_name
    from named

)

select * from final
