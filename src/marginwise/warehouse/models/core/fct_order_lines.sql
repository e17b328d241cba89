-- Grain: one order line. Amounts in store currency, excluding tax, refunds on the order's date; lines that are not
-- counted (void, test, no goods) carry line_amount, zeros, and null for what may be unknown, so that every sum holds
-- without a filter. Do not sum unit prices, costs per unit or rates.
{{ config(
    materialized='kept', key=['store_id', 'order_id'], touched='int_orders_touched', sorted_by='order_date',
    rows_anew_are_read=true, carries=['customer_id', 'customer_key', 'order_key', 'order_date']
) }}

with lines as (

    -- of touched orders only: the views behind it begin with these
    select * from {{ ref('int_order_lines_costed') }} as costed
    where {{ is_touched('costed', 'int_orders_touched', ['store_id', 'order_id']) }}

),

final as (

    select
        {{ key(['store_id', 'order_id', 'line_number']) }} as order_line_key,
        order_key, customer_key, product_key, product_version_key, partner_key, channel_key,
        store_id, order_id, line_number, customer_id, product_id, line_partner_id as partner_id,
        channel_name, campaign_name, coalesce(category, '(not set)') as category, sales_channel, ship_country,
        quantity, cast(free_quantity as decimal(18, 4)) as free_quantity, unit_price_amount, line_amount,
        {{ counted('list_amount') }} as gmv_amount,
        {{ counted('sales_amount + discounted_amount') }} as gross_sales_amount,
        {{ counted('discounted_amount') }} as discount_amount,
        {{ counted_if_known('line_tax') }} as tax_amount, tax_basis,
        {{ counted('case when is_cancelled then sales_amount else 0 end') }} as cancelled_amount,
        {{ counted('refunded_amount') }} as refund_amount,
        {{ counted('case when is_cancelled then 0 else sales_amount - refunded_amount end') }} as net_revenue_amount,
        cast(case when is_counted then cost_per_unit_amount end as decimal(18, 4)) as unit_cost_amount,
        {{ counted('restocked_quantity') }} as restocked_quantity,
        {{ counted_if_known('cost_amount') }} as goods_cost_amount, cost_basis as goods_cost_basis,
        {{ counted_if_known(cm1()) }} as cm1_amount,
        {{ counted('line_shipping_charged_amount - shipping_refunded_amount') }} as shipping_charged_amount,
        {{ counted('shipping_refunded_amount') }} as shipping_refunded_amount,
        {{ counted_if_known('line_shipping_cost_amount') }} as shipping_cost_amount, shipping_cost_basis,
        {{ counted('line_handling_cost_amount') }} as handling_cost_amount,
        {{ counted_if_known('line_payment_fee_amount') }} as payment_fee_amount, payment_fee_basis,
        {{ counted_if_known('owed_amount') }} as commission_amount,
        owed_basis as commission_basis,
        owed_kind as commission_kind,
        {{ counted('return_handling_amount') }} as return_handling_cost_amount,
        {{ counted_if_known(cm2()) }} as cm2_amount,
        is_counted, is_test, is_void, is_cancelled, is_guest, is_good, is_duplicate,
        revenue_share as own_revenue_rate, currency, exchange_rate,
        order_date, ordered_at,
        _source, _file_hash, _row_number
    from lines

)

select * from final
