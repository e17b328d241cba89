-- Grain: one order; key store_id, order_id.
{{ staged_rows('orders') }}
