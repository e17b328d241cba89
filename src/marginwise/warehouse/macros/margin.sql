{# The sums that every evidence row carries, over columns of int_margin_entries_united. Amounts in store currency.
   Unknown costs add nothing to a margin; `unknown_cost_revenue_amount` says on how much revenue none is claimed. #}
{% macro evidence_sums() -%}
    {{ summed('net_revenue_amount') }} as net_revenue_amount,
    {{ summed('coalesce(cm2_amount, 0)') }} as cm2_amount,
    {{ summed('case when cm1_amount is null then net_revenue_amount else 0 end') }} as unknown_cost_revenue_amount,
    {{ summed('refund_amount') }} as refund_amount,
    {{ summed('discount_amount') }} as discount_amount,
    {% for cost in ('goods_cost', 'shipping_cost', 'payment_fee') -%}
    {{ summed(cost_stated(cost ~ '_amount')) }} as {{ cost }}_amount,
    {% endfor -%}
    {{ summed('commission_amount') }} as commission_amount,
    {{ summed('coverage_weight_amount') }} as coverage_weight_amount,
    {% for basis in ('known', 'assumed') -%}
    {%- set stated = [] -%}
    {%- for cost in ('goods_cost', 'shipping_cost', 'payment_fee') -%}
        {%- do stated.append("case when " ~ cost ~ "_basis = '" ~ basis ~ "' then 1 else 0 end") -%}
    {%- endfor -%}
    {{ summed('coverage_weight_amount * (' ~ stated | join(' + ') ~ ')') }} as {{ basis }}_weight_amount,
    {% endfor -%}
    {{ summed("case when goods_cost_basis = 'unknown' then coverage_weight_amount else 0 end") }}
        as goods_unknown_weight_amount,
    count(distinct case when not is_cancelled then order_id end) as orders_count
{%- endmacro %}

{# A cost that counts as stated: nothing was sent for a cancelled order, which tells nothing about the store's costs. #}
{% macro cost_stated(amount) -%}
    case when not is_cancelled or {{ amount }} <> 0 then {{ amount }} end
{%- endmacro %}

{# Is the entry part of an order that was not cancelled? #}
{% macro is_sale_entry() -%} order_id is not null and not is_cancelled {%- endmacro %}

{# The names of those sums, to carry them on. #}
{% macro evidence_sum_names() -%}
    {{ return([
        'net_revenue_amount', 'cm2_amount', 'unknown_cost_revenue_amount', 'refund_amount', 'discount_amount',
        'goods_cost_amount', 'shipping_cost_amount', 'payment_fee_amount', 'commission_amount',
        'coverage_weight_amount', 'known_weight_amount', 'assumed_weight_amount', 'goods_unknown_weight_amount',
        'orders_count',
    ]) }}
{%- endmacro %}

{# Is it a campaign someone runs? "(not set)", "(none)", "(direct)" and their like are none. #}
{% macro is_campaign(campaign) -%}
    {{ campaign }} not like '(%)'
{%- endmacro %}

{# The id of a campaign as a unit: a campaign is known by its channel and its name. #}
{% macro campaign_unit_id(channel, campaign) -%}
    {{ channel }} || ' / ' || {{ campaign }}
{%- endmacro %}

{# What was earned when, by whom: of all, reckoned from the facts without the models in between; of few, from the entries that
   were read for them. #}
{% macro entries_to_tie() -%}
    {%- set lines, refunds, touched = ref('fct_order_lines'), ref('int_margin_entries_united'), ref('int_entries_touched') -%}
    {%- if is_kept() -%}
    select store_id, customer_key, entry_date, net_revenue_amount, coalesce(cm2_amount, 0) as cm2_amount from {{ touched }}
    {%- else -%}
    select store_id, customer_key, order_date as entry_date, net_revenue_amount, coalesce(cm2_amount, 0) as cm2_amount
    from {{ lines }}
    where is_counted
    union all
    select store_id, customer_key, entry_date, net_revenue_amount, coalesce(cm2_amount, 0) from {{ refunds }}
    where entry_kind = 'orderless_refund'
    {%- endif -%}
{%- endmacro %}

{# Margin entries that tell something else though no fact does: what was given back is judged like the sales of its product, and a
   cancelled line claims a margin only in a store that tells any. Of each `of_refund` or `of_line`. #}
{% macro entries_regraded(of_refund, of_line) -%}
    select refunds.store_id, {{ of_refund }}
    from {{ ref('fct_refunds') }} as refunds
    inner join (
        select store_id, product_key from {{ changed('int_products_costed') }}
        union
        select store_id, product_key from {{ changed('dim_products') }}
    ) as products
        on refunds.store_id = products.store_id and coalesce(refunds.product_key, {{ no_key() }}) = products.product_key
    where refunds.is_orderless
    union all
    select lines.store_id, {{ of_line }}
    from {{ ref('fct_order_lines') }} as lines
    inner join {{ changed('int_products_costed') }} as stores
        on lines.store_id = stores.store_id and stores.product_key = {{ no_key() }}
    where lines.is_cancelled
{%- endmacro %}
