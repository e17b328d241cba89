-- Grain: one channel in one month; key store_id, period, channel.
{{ staged_rows('budgets') }}
