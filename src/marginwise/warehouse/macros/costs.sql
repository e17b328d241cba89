{# The margin of one order line, over the columns that fct_order_lines brings together. #}

{# Is the cost of the goods known (stated), assumed (declared margin) or unknown? Nothing was sent for a cancelled order,
   and a marketplace does not pay for its sellers' goods. #}
{% macro goods_cost_basis() -%}
    case
        {% if var('business_model') == 'marketplace' -%}
        when due_amount is null then 'unknown'
        else due_basis
        {%- else -%}
        when is_cancelled or unit_cost_amount is not null or sent_quantity = 0 then 'known'
        when margin_rate is not null then 'assumed'
        else 'unknown'
        {%- endif %}
    end
{%- endmacro %}

{# What the goods cost that went out, free ones included, less those that came back to the shelf; null = unknown. #}
{% macro goods_cost() -%}
    case
        {% if var('business_model') == 'marketplace' -%}
        when due_amount is not null then 0
        {%- else -%}
        when is_cancelled or sent_quantity = 0 then 0
        when unit_cost_amount is not null
            then
                {{ amount_times('unit_cost_amount', 'sent_quantity') }}
                - {{ amount_times('unit_cost_amount', 'restocked_quantity') }}
        else {{ money("cast(sales_amount as double precision) * (1 - margin_rate)"
                " * (1 - cast(restocked_quantity as double precision) / cast(sent_quantity as double precision))") }}
        {%- endif %}
    end
{%- endmacro %}

{# What one piece cost; at an assumed margin, its part of the line's cost. #}
{% macro goods_cost_per_unit() -%}
    case
        when unit_cost_amount is not null then unit_cost_amount
        when sent_quantity > 0
            then {{ money("cast(sales_amount as double precision) * (1 - margin_rate)"
                " / cast(sent_quantity as double precision)") }}
    end
{%- endmacro %}

{# The commission the store pays; null = unknown. What affiliates are paid counts once: where spend holds it, not here. #}
{% macro commission_owed() -%}
    {%- if var('business_model') == 'marketplace' -%} 0
    {%- else -%} case when due_kind = 'affiliate' and has_affiliates_in_spend then 0 else due_amount end
    {%- endif -%}
{%- endmacro %}

{# CM1: net revenue less cost of goods; null while the cost is unknown. #}
{% macro cm1() -%}
    case when is_cancelled then 0 else sales_amount - refunded_amount end - cost_amount
{%- endmacro %}

{# CM2: CM1 and shipping charged, less shipping, handling, payment fee, commission and return handling.
   What is not known of the latter is left out; their basis says so. #}
{% macro cm2() -%}
    {{ cm1() }}
    + line_shipping_charged_amount
    - shipping_refunded_amount
    - coalesce(line_shipping_cost_amount, 0)
    - line_handling_cost_amount
    - coalesce(line_payment_fee_amount, 0)
    - coalesce(owed_amount, 0)
    - return_handling_amount
{%- endmacro %}

{# Is an order's cost stated by a source ('known'; nothing more comes for a cancelled order), assumed, or not known? #}
{% macro stated_basis(stated, assumed) -%}
    case
        when {{ stated }} is not null or is_cancelled then 'known'
        when {{ assumed }} is not null then 'assumed'
        else 'unknown'
    end
{%- endmacro %}

{# Tax at the assumed rate: within a price that includes it, on top of one that does not. #}
{% macro assumed_tax(price) -%}
    case
        when has_tax_in_prices
            then {{ money("cast(" ~ price ~ " as double precision) * tax_rate / (1 + tax_rate)") }}
        else {{ money("cast(" ~ price ~ " as double precision) * tax_rate") }}
    end
{%- endmacro %}

{# What is left of a price when its tax is taken out. #}
{% macro untaxed_share() -%}
    case
        when not has_tax_in_prices then 1
        when price_net_amount > 0
            then 1 - cast(coalesce(line_tax, 0) as double precision) / cast(price_net_amount as double precision)
        else 1 / (1 + coalesce(tax_rate, 0))
    end
{%- endmacro %}

{# The amount on counted lines, zero on the others. #}
{% macro counted(amount) -%}
    cast(case when is_counted then {{ amount }} else 0 end as decimal(18, 4))
{%- endmacro %}

{# An amount that may be unknown, on counted lines; none on the others, since a zero there would make a sum over
   unknown amounts look known. #}
{% macro counted_if_known(amount) -%}
    cast(case when is_counted then {{ amount }} end as decimal(18, 4))
{%- endmacro %}

{# Kinds of product code that make revenue: merchandise, and for a marketplace the fees it charges. #}
{% macro kinds_of_revenue() -%}
    {%- if var('business_model') == 'marketplace' -%} 'good', 'fee' {%- else -%} 'good' {%- endif -%}
{%- endmacro %}
