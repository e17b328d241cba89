-- Grain: one refund line; key store_id, refund_id.
{{ staged_rows('refunds') }}
