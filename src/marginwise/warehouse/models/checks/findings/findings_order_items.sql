-- Grain: one landed row of order_items that is broken, superseded, duplicate or odd; all others are fine and not here.
{{ found_rows('order_items') }}
