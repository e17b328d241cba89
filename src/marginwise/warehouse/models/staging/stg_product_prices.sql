-- Grain: one dated list price of a product; key store_id, product_id, valid_from.
{{ staged_rows('product_prices') }}
