{# Money arithmetic. Amounts are decimal(18,4); products and shares are taken in double precision and rounded once, by `money`. #}

{# An amount of another currency in store currency. #}
{% macro converted(amount, exchange_rate) -%}
    {{ money("cast(" ~ amount ~ " as double precision) * " ~ exchange_rate) }}
{%- endmacro %}

{# The product of an amount and a rate or a quantity. #}
{% macro amount_times(amount, factor) -%}
    {{ money("cast(" ~ amount ~ " as double precision) * cast(" ~ factor ~ " as double precision)") }}
{%- endmacro %}

{# A sum of amounts as an amount: engines widen sums, and a wide decimal costs several times as much to store and read. #}
{% macro summed(amount) -%} cast(sum({{ amount }}) as decimal(18, 4)) {%- endmacro %}

{# How many rows fulfil a condition, none where it is null: as narrow as `summed`, for the same reason. #}
{% macro rows_where(condition) -%} cast(sum(case when {{ condition }} then 1 else 0 end) as bigint) {%- endmacro %}

{# The line's part of an amount of its order. `share_before` and `share_after` are the shares of the order that lie before the line
   and up to it, so the parts differ from exact shares by less than one unit of the last digit and add up to the amount exactly. #}
{% macro allocated(amount) -%}
    {{ money("cast(" ~ amount ~ " as double precision) * share_after") }}
        - {{ money("cast(" ~ amount ~ " as double precision) * share_before") }}
{%- endmacro %}

{# Units of store currency for one unit of the row's currency on its day: 1 for the store's own, null where no rate is known. #}
{% macro exchange_rate_of(row, exchange_rates) -%}
    case
        when {{ row }}.currency = '{{ var("reporting_currency") }}' then cast(1 as double precision)
        else cast({{ exchange_rates }}.rate as double precision)
    end
{%- endmacro %}

{# Is the row's source one of those named in the settings? #}
{% macro source_in(column, sources) -%}
    {%- if sources -%} {{ column }} in ('{{ sources | join("', '") }}') {%- else -%} false {%- endif -%}
{%- endmacro %}

{# Joins the rate of exchange of a dated value's currency on the day of the order. #}
{% macro rate_join(alias, dated) -%}
    left join exchange_rates as {{ alias }}
        on
            orders.store_id = {{ alias }}.store_id
            and orders.order_date = {{ alias }}.date
            and {{ dated }}.currency = {{ alias }}.currency
{%- endmacro %}

{# The amounts of an order line that add up to the order's. #}
{% macro order_amounts() -%}
    {{ return([
        'line_amount', 'gmv_amount', 'gross_sales_amount', 'discount_amount', 'tax_amount', 'cancelled_amount', 'refund_amount',
        'net_revenue_amount', 'goods_cost_amount', 'cm1_amount', 'shipping_charged_amount', 'shipping_refunded_amount',
        'shipping_cost_amount', 'handling_cost_amount', 'payment_fee_amount', 'commission_amount', 'return_handling_cost_amount',
        'cm2_amount',
    ]) }}
{%- endmacro %}

{# Those that are null while they are not known. #}
{% macro nullable_order_amounts() -%}
    {{ return([
        'tax_amount', 'goods_cost_amount', 'cm1_amount', 'shipping_cost_amount', 'payment_fee_amount', 'commission_amount',
        'cm2_amount',
    ]) }}
{%- endmacro %}

{# Unit price times quantity of an item, in its own currency. #}
{% macro line_amount(item) -%} cast({{ item }}.quantity * {{ item }}.unit_price as decimal(18, 4)) {%- endmacro %}

{# A share by weight; evenly where nothing has weight, none where there is nothing at all. #}
{% macro share_of(weight, whole_weight, count, whole_count) -%}
    case
        when {{ whole_weight }} > 0
            then cast({{ weight }} as double precision) / cast({{ whole_weight }} as double precision)
        when {{ whole_count }} > 0
            then cast({{ count }} as double precision) / cast({{ whole_count }} as double precision)
        else 0
    end
{%- endmacro %}
