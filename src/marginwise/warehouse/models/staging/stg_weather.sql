-- Grain: one city on one day; key store_id, city, date.
{{ staged_rows('weather') }}
