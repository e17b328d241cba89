-- Grain: one order, with all that its lines inherit: state, rate of exchange, touch, and order-level amounts in
-- store currency. Null amounts are not stated; assumed rates stand beside them and are applied where the lines are
-- valued.
{{ config(
    materialized='kept', key=['store_id', 'order_id'], touched='int_orders_touched', sorted_by='order_date',
    carries=['customer_id', 'customer_key', 'ordered_at'], rows_anew_are_read=true
) }}

with orders as (

    select
        *,
        {{ local_date('ordered_at') }} as order_date,
        status = 'void' as is_void,
        status = 'cancelled' as is_cancelled,
        coalesce(is_test, false) as is_a_test
    from {{ ref('stg_orders') }} as stated
    where {{ is_touched('stated', 'int_orders_touched', ['store_id', 'order_id']) }}

),

exchange_rates as (

    select * from {{ ref('stg_exchange_rates') }}

),

payments as (

    select store_id, order_id, sum(amount) as paid_amount, sum(fee_amount) as fee_amount
    from {{ ref('stg_payments') }} as paid
    where {{ is_touched('paid', 'int_orders_touched', ['store_id', 'order_id']) }}
    group by store_id, order_id

),

touches as (

    select * from {{ ref('int_touches_found') }}

),

assumed as (

    select * from {{ ref('int_rates_assumed') }}

),

dated as (

    select orders.*, {{ exchange_rate_of('orders', 'exchange_rates') }} as exchange_rate
    from orders
    left join exchange_rates
        on
            orders.store_id = exchange_rates.store_id
            and orders.currency = exchange_rates.currency
            and orders.order_date = exchange_rates.date

),

final as (

    select
        {{ key(['dated.store_id', 'dated.order_id'], of='order') }} as order_key,
        {{ key(['dated.store_id', 'dated.customer_id']) }} as customer_key,
        {{ key(['dated.store_id', 'touches.channel_name']) }} as channel_key,
        dated.store_id, dated.order_id, dated.customer_id, dated.partner_id, touches.session_key,
        touches.channel_name, touches.campaign_name, touches.touch_basis,
        dated.status, dated.sales_channel, dated.ship_country, dated.ship_region, dated.ship_city, dated.currency,
        dated.exchange_rate,
        dated.is_a_test as is_test, dated.is_void, dated.is_cancelled,
        dated.customer_id is null as is_guest,
        {{ source_in('dated._source', var('prices_include_tax_sources')) }} as has_tax_in_prices,
        {{ converted('dated.discount_amount', 'dated.exchange_rate') }} as discount_amount,
        {{ converted('dated.tax_amount', 'dated.exchange_rate') }} as tax_amount,
        case when dated.is_cancelled then 0 else {{ converted('dated.shipping_charged_amount', 'dated.exchange_rate') }} end
            as shipping_charged_amount,
        {{ converted('dated.shipping_cost_amount', 'dated.exchange_rate') }} as shipping_cost_amount,
        {{ converted('dated.handling_cost_amount', 'dated.exchange_rate') }} as handling_cost_amount,
        {{ converted('coalesce(payments.fee_amount, dated.payment_fee_amount)', 'dated.exchange_rate') }} as payment_fee_amount,
        {{ converted('payments.paid_amount', 'dated.exchange_rate') }} as paid_amount,
        {{ converted('dated.commission_amount', 'dated.exchange_rate') }} as commission_amount,
        assumed.shipping_cost_amount as assumed_shipping_cost_amount,
        assumed.payment_fee_rate as assumed_payment_fee_rate,
        assumed.payment_fee_fixed_amount as assumed_payment_fee_fixed_amount,
        assumed.commission_rate as assumed_commission_rate,
        assumed.tax_rate as assumed_tax_rate,
        dated.order_date,
        dated.ordered_at
    from dated
    left join payments on dated.store_id = payments.store_id and dated.order_id = payments.order_id
    left join touches on dated.store_id = touches.store_id and dated.order_id = touches.order_id
    left join assumed
        on
            coalesce(dated.ship_country, '') = assumed.ship_country
            and coalesce(dated.sales_channel, '') = assumed.sales_channel

)

select * from final
