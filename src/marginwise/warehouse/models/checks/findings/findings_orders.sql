-- Grain: one landed row of orders that is broken, superseded, duplicate or odd; the others are not here.
{{ found_rows('orders') }}
