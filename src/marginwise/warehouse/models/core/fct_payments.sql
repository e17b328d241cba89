-- Grain: one payment of an order. Amounts in store currency at the order's rate; `amount` includes tax and shipping.
{{ config(materialized='kept', key=['store_id', 'order_id'], touched='int_orders_touched', rows_anew_are_read=true, is_told=false) }}

with payments as (

    select * from {{ ref('stg_payments') }} as stated
    where {{ is_touched('stated', 'int_orders_touched', ['store_id', 'order_id']) }}

),

orders as (

    select store_id, order_id, order_key, customer_key, exchange_rate, ordered_at from {{ rows_anew('int_orders_resolved') }}

),

final as (

    select
        {{ key(['payments.store_id', 'payments.order_id', 'payments.payment_number']) }} as payment_key,
        orders.order_key, orders.customer_key,
        payments.store_id, payments.order_id, payments.payment_number,
        payments.method, payments.installments,
        {{ converted('payments.amount', 'orders.exchange_rate') }} as amount,
        {{ converted('payments.fee_amount', 'orders.exchange_rate') }} as fee_amount,
        {{ local_date('coalesce(payments.paid_at, orders.ordered_at)') }} as payment_date,
        payments.paid_at
    from payments
    inner join orders on payments.store_id = orders.store_id and payments.order_id = orders.order_id

)

select * from final
