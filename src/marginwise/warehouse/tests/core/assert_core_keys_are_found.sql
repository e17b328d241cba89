-- Every foreign key of a fact is found in its dimension or parent fact; a null key means that the source names none.
-- Asked of what is made anew: what stays was asked when it came.
{% set large = ['dim_customers', 'fct_orders', 'fct_order_lines', 'fct_refunds', 'fct_payments', 'fct_sessions'] %}
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
select {{ column }} as asked_key from {{ rows_anew(fact) if fact in large else ref(fact) }} where {{ column }} is not null
{%- if parent in large and is_kept() %} except select {{ parent_column }} from {{ rows_anew(parent) }} {%- endif %}
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
