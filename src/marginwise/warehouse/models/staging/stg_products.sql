-- Grain: one product, versions by updated_at; key store_id, product_id, updated_at.
{{ staged_rows('products') }}
