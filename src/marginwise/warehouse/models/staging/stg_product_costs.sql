-- Grain: one dated cost of a product; key store_id, product_id, valid_from.
{{ staged_rows('product_costs') }}
