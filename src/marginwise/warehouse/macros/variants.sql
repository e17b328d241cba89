{# Horizons under which every verdict is judged again: 30, 90 and 180 days, and the configured one. #}
{% macro variant_horizons() -%}
    {{ return(([30, 90, 180] + [var('horizon_days') | int]) | unique | sort) }}
{%- endmacro %}

{# Touch rules under which every verdict is judged again, each with the columns that name its units. #}
{% macro variant_touch_rules() -%} {{ return(['first', 'last']) }} {%- endmacro %}

{# The costs inside the CM2 of an entry, of whatever origin; null where no margin is claimed, so that no cost is either. #}
{% macro margin_costs() -%}
    case
        when cm2_amount is not null
            then
                coalesce(goods_cost_amount, 0) + coalesce(shipping_cost_amount, 0) + coalesce(payment_fee_amount, 0)
                + coalesce(commission_amount, 0) + handling_cost_amount + return_handling_cost_amount
    end
{%- endmacro %}

{# The rows of mart_decision_variants summed by all that names a customer's units: few rows, which every rule and kind then reads. #}
{% macro variant_customers_summed() %}
    select
        store_id,
        horizon_days,
        {% for rule in variant_touch_rules() -%}
        {{ rule }}_channel,
        {{ rule }}_campaign,
        {% endfor -%}
        cast(count(*) as bigint) as customers_count,
        cast(sum(case when has_repeated then 1 else 0 end) as bigint) as repeated_customers_count,
        sum(net_revenue_amount) as net_revenue_amount,
        sum(cm2_amount) as cm2_amount,
        sum(cost_amount) as cost_amount,
        sum(unknown_cost_revenue_amount) as unknown_cost_revenue_amount
    from {{ ref('mart_decision_variants') }}
    group by
        {% for rule in variant_touch_rules() -%}
        {{ rule }}_channel,
        {{ rule }}_campaign,
        {% endfor -%}
        store_id,
        horizon_days
{%- endmacro %}
