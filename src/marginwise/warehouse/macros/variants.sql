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
