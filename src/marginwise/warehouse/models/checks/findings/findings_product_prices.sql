-- Grain: one landed row of product_prices that is broken, superseded, duplicate or odd; all others are fine and not here.
{{ found_rows('product_prices') }}
