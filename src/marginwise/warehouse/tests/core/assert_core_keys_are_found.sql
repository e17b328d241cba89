-- Every foreign key of a fact is found in its dimension or parent fact; a null key means that the source names none.
-- Asked of what is made anew: what stays was asked when it came.
{% set touched = {
    'fct_order_lines': ('int_orders_touched', ['store_id', 'order_id']),
    'fct_orders': ('int_order_histories_touched', ['store_id', 'order_id']),
    'fct_refunds': ('int_refunds_touched', ['store_id', 'refund_id']),
    'fct_payments': ('int_orders_touched', ['store_id', 'order_id']),
    'fct_sessions': ('int_sessions_touched', ['store_id', 'session_id']),
} %}
{% set references = [
    ('fct_order_lines', 'order_key', 'fct_orders', 'order_key'),
    ('fct_order_lines', 'product_version_key', 'dim_products', 'product_version_key'),
    ('fct_order_lines', 'partner_key', 'dim_partners', 'partner_key'),
    ('fct_orders', 'customer_key', 'dim_customers', 'customer_key'),
    ('fct_orders', 'channel_key', 'dim_channels', 'channel_key'),
    ('fct_orders', 'session_key', 'fct_sessions', 'session_key'),
    ('fct_orders', 'order_date', 'dim_dates', 'date_day'),
    ('fct_refunds', 'customer_key', 'dim_customers', 'customer_key'),
    ('fct_refunds', 'product_key', 'dim_products', 'product_key'),
    ('fct_refunds', 'order_line_key', 'fct_order_lines', 'order_line_key'),
    ('fct_refunds', 'refund_date', 'dim_dates', 'date_day'),
    ('fct_payments', 'order_key', 'fct_orders', 'order_key'),
    ('fct_sessions', 'channel_key', 'dim_channels', 'channel_key'),
    ('fct_sessions', 'customer_key', 'dim_customers', 'customer_key'),
    ('fct_marketing_spend', 'channel_key', 'dim_channels', 'channel_key'),
    ('fct_marketing_spend', 'spend_date', 'dim_dates', 'date_day'),
    ('dim_campaigns', 'channel_key', 'dim_channels', 'channel_key'),
] %}

{% for fact, column, parent, parent_column in references -%}
{%- set asked -%}
select facts.{{ column }} as asked_key from {{ ref(fact) }} as facts
where
    facts.{{ column }} is not null
    {%- if fact in touched %}
    and {{ is_touched('facts', touched[fact][0], touched[fact][1]) }}
    {%- endif %}
{%- endset -%}
{{ 'union all' if not loop.first }}
select '{{ fact }}.{{ column }}' as reference, count(*) as row_count
from (
    {{ asked }}
    except
    select parents.{{ parent_column }} from {{ ref(parent) }} as parents
    where {{ is_asked_for('parents', [parent_column], '(' ~ asked ~ ')', listed=['asked_key']) }}
) as missing
having count(*) > 0
{% endfor %}
