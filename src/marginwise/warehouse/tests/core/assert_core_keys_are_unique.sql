-- Each core model, and each intermediate one that is joined on, has one row per key, and no part of a key is missing.
-- Asked of what is made anew: what stays was asked when it came.
{% set touched = {
    'dim_customers': ('int_customers_touched', ['store_id', 'customer_id']),
    'fct_orders': ('int_order_histories_touched', ['store_id', 'order_id']),
    'fct_order_lines': ('int_orders_touched', ['store_id', 'order_id']),
    'fct_refunds': ('int_refunds_touched', ['store_id', 'refund_id']),
    'fct_payments': ('int_orders_touched', ['store_id', 'order_id']),
    'fct_sessions': ('int_sessions_touched', ['store_id', 'session_id']),
    'int_customers_acquired': ('int_customers_touched', ['store_id', 'customer_id']),
} %}
{% set keys = {
    'dim_customers': ['customer_version_key'],
    'dim_products': ['product_version_key'],
    'dim_partners': ['partner_version_key'],
    'dim_channels': ['channel_key'],
    'dim_campaigns': ['campaign_key'],
    'dim_dates': ['date_day'],
    'fct_orders': ['order_key'],
    'fct_order_lines': ['order_line_key'],
    'fct_refunds': ['refund_key'],
    'fct_payments': ['payment_key'],
    'fct_sessions': ['session_key'],
    'fct_marketing_spend': ['marketing_spend_key'],
    'int_periods_set': ['store_id'],
    'int_customers_acquired': ['customer_key'],
    'int_channels_grouped': ['source', 'medium', 'campaign', 'channel', 'is_paid'],
    'int_rates_assumed': ['ship_country', 'sales_channel'],
} %}

{% for model, columns in keys.items() -%}
{{ 'union all' if not loop.first }}
select '{{ model }}' as model, count(*) as row_count
from {{ ref(model) }} as rows
{%- if model in touched %}
where {{ is_touched('rows', touched[model][0], touched[model][1]) }}
{%- endif %}
group by {{ columns | join(', ') }}
having count(*) > 1 or {{ columns | join(' is null or ') }} is null
{% endfor %}
