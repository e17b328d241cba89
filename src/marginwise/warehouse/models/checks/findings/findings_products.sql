-- Grain: one landed row of products that is broken, superseded, duplicate or odd; all others are fine and not here.
{{ found_rows('products') }}
