{# Counted order lines, and refunds of goods that lie on no order line, in the columns that all marts sum: of all subjects, or of those
   that a relation of touched ones lists. #}
{% macro margin_entries(touched=none) %}
with order_lines as (

    select * from {{ ref('fct_order_lines') }}
    where is_counted {{ and_is_of_subject('order_key', touched) }}

),

orderless_refunds as (

    select * from {{ ref('fct_refunds') }}
    where is_orderless and is_counted {{ and_is_of_subject('refund_key', touched) }}

),

products as (

    select * from {{ ref('dim_products') }}
    where is_current

),

products_costed as (

    select * from {{ ref('int_products_costed') }}

),

-- nothing went out for a cancelled order, so its cost is known to be 0: that alone makes no margin of a store
order_lines_claimed as (

    select
        *,
        is_cancelled and store_id not in (select products_costed.store_id from products_costed) as is_without_claim
    from order_lines

),

-- a refund without an order is judged like the sales of its product: where their cost is unknown, no margin is claimed
refunds_costed as (

    select
        orderless_refunds.*,
        products.partner_id,
        coalesce(products.category, '(not set)') as category,
        case products_costed.cost_grade when 2 then 'known' when 1 then 'assumed' else 'unknown' end
            as goods_cost_basis,
        case when products_costed.cost_grade is not null then coalesce(orderless_refunds.restocked_cost_amount, 0) end
            as returned_cost_amount
    from orderless_refunds
    left join products_costed
        on
            orderless_refunds.store_id = products_costed.store_id
            and coalesce(orderless_refunds.product_key, {{ no_key() }}) = products_costed.product_key
    left join products
        on orderless_refunds.store_id = products.store_id and orderless_refunds.product_key = products.product_key

),

final as (

    select
        store_id, 'line' as entry_kind, order_id, order_key, customer_key,
        coalesce(customer_key, order_key) as subject_key, product_key,
        partner_id, channel_name, campaign_name, category, order_date as entry_date, is_cancelled, is_duplicate,
        unit_price_amount, line_amount, gross_sales_amount, discount_amount, cancelled_amount, refund_amount,
        net_revenue_amount, goods_cost_amount, goods_cost_basis,
        case when not is_without_claim then cm1_amount end as cm1_amount,
        shipping_charged_amount, shipping_cost_amount, shipping_cost_basis, handling_cost_amount,
        payment_fee_amount, payment_fee_basis, commission_amount, return_handling_cost_amount,
        case when not is_without_claim then cm2_amount end as cm2_amount,
        greatest(net_revenue_amount, 0) as coverage_weight_amount
    from order_lines_claimed
    union all
    select
        store_id, 'orderless_refund', null, null, customer_key, coalesce(customer_key, refund_key), product_key,
        partner_id, null, null, category, refund_date, false, false,
        0, 0, 0, 0, 0, amount,
        -amount, -returned_cost_amount, goods_cost_basis,
        returned_cost_amount - amount,
        -coalesce(shipping_amount, 0), null, 'unknown', 0,
        null, 'unknown', 0, coalesce(handling_cost_amount, 0),
        returned_cost_amount - amount - coalesce(shipping_amount, 0) - coalesce(handling_cost_amount, 0),
        0
    from refunds_costed

)

select * from final
{% endmacro %}

{# Asked of the fact itself: what is asked of the entries is asked of all of them, after each was reckoned. Each key is asked for by
   itself, which costs less than to choose between two for every row. #}
{% macro and_is_of_subject(own_key, touched) -%}
    {%- if touched and is_kept() -%}
    {%- set is_listed = ' in (select subject_key from ' ~ touched ~ ')' -%}
    and (customer_key {{- is_listed }} or customer_key is null and {{ own_key ~ is_listed }})
    {%- endif -%}
{%- endmacro %}
