-- Grain: one landed row of exchange_rates, accepted or not; sum nothing of it without `where _is_current`.
{{ checked_rows('exchange_rates') }}
