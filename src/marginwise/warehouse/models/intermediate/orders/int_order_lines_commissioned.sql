-- Grain: one order line with its partner, the commission on it, and the share of its sale that is the store's own revenue:
-- all of it for a retailer; for a marketplace the commission and fees earned (seller sales are then GMV only).
{{ config(materialized='view') }}

with lines as (

    select * from {{ ref('int_order_lines_sold') }}

),

partners as (

    select * from {{ ref('dim_partners') }}

),

-- stores whose spend data already hold what affiliates are paid, where the settings count it there
affiliates_in_spend as (

    select distinct spend.store_id
    from {{ ref('stg_marketing_spend') }} as spend
    inner join {{ ref('int_channels_grouped') }} as channels
        on {{ traffic_label('spend.channel') }} = channels.channel and channels.channel_name = 'Affiliates'
    where '{{ var("affiliate_commission_in") }}' = 'spend'

),

stores_with_partners as (

    select distinct store_id from partners

),

joined as (

    select
        lines.*,
        line_partners.partner_key,
        case when order_partners.kind in ('affiliate', 'marketplace') then order_partners.kind else line_partners.kind end
            as partner_kind,
        case
            when '{{ var("business_model") }}' = 'marketplace' then line_partners.commission_rate
            when order_partners.kind in ('affiliate', 'marketplace') then order_partners.commission_rate
            when line_partners.kind in ('affiliate', 'marketplace') then line_partners.commission_rate
        end as partner_commission_rate,
        affiliates_in_spend.store_id is not null as has_affiliates_in_spend,
        stores_with_partners.store_id is not null as has_partners
    from lines
    left join partners as order_partners
        on
            lines.store_id = order_partners.store_id
            and lines.partner_id = order_partners.partner_id
            and {{ valid_at('order_partners', 'lines.ordered_at') }}
    left join partners as line_partners
        on
            lines.store_id = line_partners.store_id
            and lines.line_partner_id = line_partners.partner_id
            and {{ valid_at('line_partners', 'lines.ordered_at') }}
    left join affiliates_in_spend on lines.store_id = affiliates_in_spend.store_id
    left join stores_with_partners on lines.store_id = stores_with_partners.store_id

),

due as (

    select
        *,
        case
            when partner_kind in ('affiliate', 'marketplace') then partner_kind
            -- a store that names no partners tells by the channel
            when not has_partners and channel_name = 'Affiliates' and sales_channel is null then 'affiliate'
            when sales_channel is not null then 'marketplace'
        end as due_kind,
        case
            when product_kind = 'fee' then 'known'
            when commission_amount is not null or partner_commission_rate is not null then 'known'
            when assumed_commission_rate is not null then 'assumed'
            when '{{ var("business_model") }}' = 'marketplace' then 'unknown'
            else 'known'
        end as due_basis,
        case
            when product_kind = 'fee' then net_sales_amount
            when commission_amount is not null then line_commission_amount
            when is_cancelled then 0
            else {{ amount_times('net_sales_amount', 'coalesce(partner_commission_rate, assumed_commission_rate)') }}
        end as due_amount
    from joined

),

final as (

    select
        *,
        {% if var('business_model') == 'marketplace' -%}
        case
            when due_amount is null then 0
            when net_sales_amount = 0 then 0
            else cast(due_amount as double precision) / cast(net_sales_amount as double precision)
        end as revenue_share,
        cast(0 as decimal(18, 4)) as owed_amount,
        'known' as owed_basis,
        cast(null as varchar) as owed_kind
        {%- else -%}
        cast(1 as double precision) as revenue_share,
        case when due_kind = 'affiliate' and has_affiliates_in_spend then 0 else coalesce(due_amount, 0) end as owed_amount,
        due_basis as owed_basis,
        case when coalesce(due_amount, 0) <> 0 then due_kind end as owed_kind
        {%- endif %}
    from due

)

select * from final
