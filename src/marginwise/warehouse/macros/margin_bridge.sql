{# The steps of the margin bridge in their order: what falls away from the landed rows, then from the margin.
   `source` says where a step is measured: landed rows, entries (counted lines and orderless refunds) or spend.
   `rows` restricts the entries. A step without a single row that states it is null: not available, not zero. #}
{% macro margin_bridge_steps() -%}
    {%- set priced = 'cm1_amount is not null' -%}
    {%- set line = "entry_kind = 'line'" -%}
    {%- set sold = line ~ ' and not (' ~ is_free_line() ~ ')' -%}
    {%- set is_marketplace = var('business_model') == 'marketplace' -%}
    {{ return([
        {'id': 'raw_total', 'step': 'Raw total', 'kind': 'total', 'source': 'landed'},
        {'id': 'superseded', 'step': 'Superseded versions', 'kind': 'change', 'source': 'landed', 'only_if_any': true},
        {'id': 'bad_debt', 'step': 'Bad debt', 'kind': 'change', 'source': 'landed'},
        {'id': 'zero_price', 'step': 'Zero price', 'kind': 'change', 'source': 'landed'},
        {'id': 'not_a_product', 'step': 'Fees and other non-product codes', 'kind': 'change', 'source': 'landed'},
        {'id': 'cancelled_with_sale', 'step': 'Cancellations with an earlier sale', 'kind': 'change',
         'source': 'landed'},
        {'id': 'cancelled_without_sale', 'step': 'Cancellations without an earlier sale', 'kind': 'change',
         'source': 'landed'},
        {'id': 'quarantined', 'step': 'Quarantined', 'kind': 'change', 'source': 'landed', 'only_if_any': true},
        {'id': 'void_or_test', 'step': 'Void and test orders', 'kind': 'change', 'source': 'landed'},
        {'id': 'kept', 'step': 'Gross product sales', 'kind': 'total', 'source': 'entries', 'amount': 'line_amount',
         'rows': sold},
        {'id': 'duplicates', 'step': 'of which exact duplicates', 'kind': 'memo', 'source': 'entries',
         'amount': 'line_amount', 'rows': sold ~ ' and is_duplicate'},
        {'id': 'unknown_customers', 'step': 'of which unknown customers', 'kind': 'memo', 'source': 'entries',
         'amount': 'line_amount', 'rows': sold ~ ' and customer_key is null'},
        {'id': 'tax', 'step': 'Tax inside prices, sellers share' if is_marketplace else 'Tax inside prices',
         'kind': 'change', 'source': 'entries',
         'amount': 'gross_sales_amount - line_amount', 'rows': line},
        {'id': 'discounts', 'step': 'Discounts', 'kind': 'change', 'source': 'entries', 'amount': '-discount_amount',
         'rows': line},
        {'id': 'cancelled_orders', 'step': 'Cancelled orders', 'kind': 'change', 'source': 'entries',
         'amount': '-cancelled_amount', 'rows': line},
        {'id': 'refunds', 'step': 'Refunds', 'kind': 'change', 'source': 'entries', 'amount': '-refund_amount',
         'rows': 'true'},
        {'id': 'net_revenue', 'step': 'Net revenue', 'kind': 'total', 'source': 'entries',
         'amount': 'net_revenue_amount', 'rows': 'true'},
        {'id': 'cost_unknown', 'step': 'Net revenue of goods whose cost is unknown', 'kind': 'change',
         'source': 'entries', 'amount': '-net_revenue_amount', 'rows': 'cm1_amount is null', 'is_zero': true},
        {'id': 'goods_cost_known', 'step': 'Goods cost (known)', 'kind': 'change', 'source': 'entries',
         'amount': '-' ~ cost_stated('goods_cost_amount'), 'rows': priced ~ " and goods_cost_basis = 'known'",
         'only_if_any': true},
        {'id': 'goods_cost_assumed', 'step': 'Goods cost (assumed)', 'kind': 'change', 'source': 'entries',
         'amount': '-' ~ cost_stated('goods_cost_amount'), 'rows': priced ~ " and goods_cost_basis = 'assumed'",
         'only_if_any': true},
        {'id': 'cm1', 'step': 'CM1', 'kind': 'total', 'source': 'entries', 'amount': 'cm1_amount', 'rows': priced},
        {'id': 'shipping_charged', 'step': 'Shipping charged', 'kind': 'change', 'source': 'entries',
         'amount': 'shipping_charged_amount', 'rows': priced},
        {'id': 'shipping_cost', 'step': 'Shipping cost', 'kind': 'change', 'source': 'entries',
         'amount': '-' ~ cost_stated('shipping_cost_amount'), 'rows': priced},
        {'id': 'handling', 'step': 'Packing and handling', 'kind': 'change', 'source': 'entries',
         'amount': '-handling_cost_amount', 'rows': priced},
        {'id': 'payment_fees', 'step': 'Payment fees', 'kind': 'change', 'source': 'entries',
         'amount': '-' ~ cost_stated('payment_fee_amount'), 'rows': priced},
        {'id': 'commission', 'step': 'Commission', 'kind': 'change', 'source': 'entries',
         'amount': '-commission_amount', 'rows': priced},
        {'id': 'return_handling', 'step': 'Return handling', 'kind': 'change', 'source': 'entries',
         'amount': '-return_handling_cost_amount', 'rows': priced},
        {'id': 'cm2', 'step': 'CM2', 'kind': 'total', 'source': 'entries', 'amount': 'cm2_amount', 'rows': priced},
        {'id': 'spend_known', 'step': 'Marketing spend (known)', 'kind': 'change', 'source': 'spend', 'basis': 'known',
         'only_if_any': true},
        {'id': 'spend_assumed', 'step': 'Marketing spend (assumed)', 'kind': 'change', 'source': 'spend',
         'basis': 'assumed', 'only_if_any': true},
        {'id': 'spend_missing', 'step': 'Marketing spend', 'kind': 'change', 'source': 'spend', 'only_if_any': true},
        {'id': 'cm3', 'step': 'CM3', 'kind': 'total', 'source': 'spend'},
    ]) }}
{%- endmacro %}

{# The step at which a landed row leaves, or 'kept'. Exclusive: the first that fits. `products` is the current version of its product. #}
{% macro step_of_landed_row(
    is_good, is_free, is_void_or_test='false', is_superseded='false', is_quarantined='false', is_refund='false',
    has_earlier_sale='false'
) -%}
    case
            when {{ is_superseded }} then 'superseded'
            when products.kind = 'bad_debt' and not coalesce({{ is_good }}, false) then 'bad_debt'
            when {{ is_free }} then 'zero_price'
            when not coalesce({{ is_good }}, products.is_good, true) then 'not_a_product'
            when {{ is_quarantined }} then 'quarantined'
            when {{ is_refund }} and {{ has_earlier_sale }} then 'cancelled_with_sale'
            when {{ is_refund }} then 'cancelled_without_sale'
            when {{ is_void_or_test }} then 'void_or_test'
            else 'kept'
        end
{%- endmacro %}

{# Is the order line free? A price may be too small for the last digit of the store currency, and its line is still money. #}
{% macro is_free_line() -%} unit_price_amount = 0 and line_amount = 0 {%- endmacro %}
