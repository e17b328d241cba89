-- Each core model, and each intermediate one that is joined on, has one row per key, and no part of a key is missing.
-- Asked of what is made anew: what stays was asked when it came.
{% set large = [
    'dim_customers', 'fct_orders', 'fct_order_lines', 'fct_refunds', 'fct_payments', 'fct_sessions', 'int_customers_acquired',
] %}
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
from {{ rows_anew(model) if model in large else ref(model) }} as rows
group by {{ columns | join(', ') }}
having count(*) > 1 or {{ columns | join(' is null or ') }} is null
{% endfor %}
