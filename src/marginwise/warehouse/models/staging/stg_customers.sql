-- Grain: one customer, versions by updated_at; key store_id, customer_id, updated_at.
{{ staged_rows('customers') }}
