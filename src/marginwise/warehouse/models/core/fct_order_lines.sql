-- Grain: one order line. Amounts in store currency, excluding tax, refunds on the order's date; lines that are not counted
-- (void, test, no goods) carry line_amount and zeros, so that every sum holds without a filter.
-- Do not sum unit prices, costs per unit or exchange rates.

with lines as (

    select * from {{ ref('int_order_lines_commissioned') }}

),

refunds as (

    select
        store_id,
        order_id,
        line_number,
        sum(refund_amount) as refund_amount,
        sum(shipping_amount) as shipping_amount,
        sum(handling_cost_amount) as handling_cost_amount,
        sum(restocked_quantity) as restocked_quantity
    from {{ ref('int_refunds_spread') }}
    group by store_id, order_id, line_number

),

-- the store's own part of the sale; a cancelled order leaves whole, whatever was refunded on it
owned as (

    select
        lines.*,
        {{ amount_times('lines.net_sales_amount', 'lines.revenue_share') }} as sales_amount,
        {{ amount_times('lines.net_discount_amount', 'lines.revenue_share') }} as discounted_amount,
        case
            when lines.is_cancelled then 0
            else coalesce({{ amount_times('refunds.refund_amount', 'lines.revenue_share') }}, 0)
        end as refunded_amount,
        case when lines.is_cancelled then 0 else coalesce(refunds.shipping_amount, 0) end as shipping_refunded_amount,
        coalesce(refunds.handling_cost_amount, 0) as return_handling_amount,
        case when lines.is_cancelled then 0 else coalesce(refunds.restocked_quantity, 0) end as restocked_quantity,
        lines.quantity + lines.free_quantity as sent_quantity
    from lines
    left join refunds
        on lines.store_id = refunds.store_id and lines.order_id = refunds.order_id and lines.line_number = refunds.line_number

),

costed as (

    select
        *,
        {{ goods_cost_basis() }} as cost_basis,
        case
            when unit_cost_amount is not null then unit_cost_amount
            when sent_quantity > 0
                then {{ money('cast(sales_amount as double precision) * (1 - margin_rate) / cast(sent_quantity as double precision)') }}
        end as cost_per_unit_amount,
        {{ goods_cost() }} as cost_amount
    from owned

),

final as (

    select
        {{ key(['store_id', 'order_id', 'line_number']) }} as order_line_key,
        order_key, customer_key, product_key, product_version_key, partner_key, channel_key,
        store_id, order_id, line_number, customer_id, product_id, line_partner_id as partner_id,
        channel_name, campaign_name, coalesce(category, '(not set)') as category, sales_channel, ship_country,
        quantity, free_quantity, unit_price_amount, line_amount,
        {{ counted('list_amount') }} as gmv_amount,
        {{ counted('sales_amount + discounted_amount') }} as gross_sales_amount,
        {{ counted('discounted_amount') }} as discount_amount,
        case when is_counted then line_tax else 0 end as tax_amount, tax_basis,
        {{ counted('case when is_cancelled then sales_amount else 0 end') }} as cancelled_amount,
        {{ counted('refunded_amount') }} as refund_amount,
        {{ counted('case when is_cancelled then 0 else sales_amount - refunded_amount end') }} as net_revenue_amount,
        case when is_counted then cost_per_unit_amount end as unit_cost_amount,
        case when is_counted then restocked_quantity else 0 end as restocked_quantity,
        {{ counted('cost_amount') }} as goods_cost_amount,
        cost_basis as goods_cost_basis,
        {{ counted(cm1()) }} as cm1_amount,
        {{ counted('line_shipping_charged_amount - shipping_refunded_amount') }} as shipping_charged_amount,
        {{ counted('shipping_refunded_amount') }} as shipping_refunded_amount,
        {{ counted('line_shipping_cost_amount') }} as shipping_cost_amount, shipping_cost_basis,
        {{ counted('line_handling_cost_amount') }} as handling_cost_amount,
        {{ counted('line_payment_fee_amount') }} as payment_fee_amount, payment_fee_basis,
        {{ counted('owed_amount') }} as commission_amount, owed_basis as commission_basis, owed_kind as commission_kind,
        {{ counted('return_handling_amount') }} as return_handling_cost_amount,
        {{ counted(cm2()) }} as cm2_amount,
        is_counted, is_test, is_void, is_cancelled, is_guest, is_good, is_duplicate,
        revenue_share as own_revenue_rate, currency, exchange_rate, order_date, ordered_at,
        _source, _file_hash, _row_number
    from costed

)

select * from final
