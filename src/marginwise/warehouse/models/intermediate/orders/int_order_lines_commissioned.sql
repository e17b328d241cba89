-- Grain: one order line with its partner, the commission on it, and the share of its sale that is the store's own
-- revenue: all of it for a retailer; for a marketplace the commission and fees earned (seller sales are then GMV
-- only).
{{ config(materialized='view') }}
{% set is_marketplace = var('business_model') == 'marketplace' %}

with lines as (

    select * from {{ ref('int_order_lines_sold') }}

),

partners as (

    select * from {{ ref('dim_partners') }}

),

affiliates as (

    select * from {{ ref('int_affiliates_placed') }}

),

-- who is paid by commission: the order's affiliate or marketplace before the line's; a marketplace is paid by its
-- sellers
joined as (

    select
        lines.*,
        line_partners.partner_key,
        coalesce(order_partners.kind, line_partners.kind) as partner_kind,
        case when order_partners.kind is null then line_partners.commission_rate else order_partners.commission_rate end
            as partner_commission_rate,
        line_partners.commission_rate as seller_commission_rate,
        affiliates.has_partners,
        affiliates.has_affiliates_in_spend
    from lines
    left join partners as order_partners
        on
            lines.store_id = order_partners.store_id and lines.partner_id = order_partners.partner_id
            and {{ valid_at('order_partners', 'lines.ordered_at') }}
            and order_partners.kind in ('affiliate', 'marketplace')
    left join partners as line_partners
        on
            lines.store_id = line_partners.store_id and lines.line_partner_id = line_partners.partner_id
            and {{ valid_at('line_partners', 'lines.ordered_at') }}
    inner join affiliates on lines.store_id = affiliates.store_id

),

rated as (

    select
        *,
        {% if is_marketplace -%} seller_commission_rate
        {%- else -%} case when partner_kind in ('affiliate', 'marketplace') then partner_commission_rate end
        {%- endif %} as due_rate,
        coalesce(partner_kind in ('affiliate', 'marketplace'), false) as is_paid_by_commission,
        case
            when partner_kind in ('affiliate', 'marketplace') then partner_kind
            -- a store that names no partners tells by the channel
            when not has_partners and channel_name = 'Affiliates' and sales_channel is null then 'affiliate'
            when sales_channel is not null then 'marketplace'
        end as due_kind
    from joined

),

due as (

    select
        *,
        case
            when {{ 'product_kind = \'fee\' or' if is_marketplace }} commission_amount is not null then 'known'
            when is_cancelled or due_rate is not null then 'known'
            when assumed_commission_rate is not null then 'assumed'
            {% if not is_marketplace -%} when not is_paid_by_commission then 'known' {%- endif %}
            else 'unknown'
        end as due_basis,
        case
            {% if is_marketplace -%} when product_kind = 'fee' then net_sales_amount {%- endif %}
            when commission_amount is not null then line_commission_amount
            when is_cancelled then 0
            {% if not is_marketplace -%}
            when coalesce(due_rate, assumed_commission_rate) is null and not is_paid_by_commission then 0
            {%- endif %}
            else {{ amount_times('net_sales_amount', 'coalesce(due_rate, assumed_commission_rate)') }}
        end as due_amount
    from rated

)

select
    *,
    {{ 'coalesce(cast(due_amount as double precision) / nullif(cast(net_sales_amount as double precision), 0), 0)'
        if is_marketplace else 'cast(1 as double precision)' }} as revenue_share
from due
