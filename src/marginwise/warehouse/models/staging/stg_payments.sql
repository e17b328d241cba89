-- Grain: one payment of an order; key store_id, order_id, payment_number.
{{ staged_rows('payments') }}
