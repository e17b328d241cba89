-- Grain: one line of an order; key store_id, order_id, line_number.
{{ staged_rows('order_items') }}
