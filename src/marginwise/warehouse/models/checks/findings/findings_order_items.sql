-- Grain: one landed row of order_items that is broken, superseded, duplicate or odd; the others are not here.
{{ found_rows('order_items') }}
