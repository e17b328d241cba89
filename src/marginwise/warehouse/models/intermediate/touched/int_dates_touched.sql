-- Grain: one day on whose orders, or refunds without an order, something new, corrected or gone may tell. Empty in a full
-- refresh.

{% call touched_keys(['store_id', 'entry_date'], type='date') %}
    select store_id, order_date as entry_date from {{ changed('fct_order_lines') }}
    union all
    select store_id, order_date_basis_date from {{ changed('fct_refunds') }}
    union all
    {{ entries_regraded('refunds.order_date_basis_date', 'lines.order_date') }}
{% endcall %}
