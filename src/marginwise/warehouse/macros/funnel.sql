{# The steps of the visit funnel: from what is reached to what is reached next. #}
{% macro funnel_steps() -%}
    {{ return([
        {'id': 'view_to_add_to_cart', 'from': 'viewed', 'to': 'added_to_cart'},
        {'id': 'add_to_cart_to_checkout', 'from': 'added_to_cart', 'to': 'checked_out'},
        {'id': 'checkout_to_purchase', 'from': 'checked_out', 'to': 'purchased'},
    ]) }}
{%- endmacro %}

{# Sum over sum: null when there is nothing to divide by. #}
{% macro rate_of(part, whole) -%}
    cast({{ part }} as double precision) / nullif(cast({{ whole }} as double precision), 0)
{%- endmacro %}
