-- Grain: one landed row of exchange_rates that is broken, superseded, duplicate or odd; all others are fine and not here.
{{ found_rows('exchange_rates') }}
