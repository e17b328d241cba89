-- Grain: one landed row of exchange_rates that is broken, superseded, duplicate or odd; the others are not here.
{{ found_rows('exchange_rates') }}
