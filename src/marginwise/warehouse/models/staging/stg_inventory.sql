-- Grain: one product at one location on one day; key store_id, product_id, location, as_of_date.
{{ staged_rows('inventory') }}
