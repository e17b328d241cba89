-- Grain: one currency on one day; key store_id, date, currency.
{{ staged_rows('exchange_rates') }}
