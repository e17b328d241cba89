-- Grain: one landed row of products that is broken, superseded, duplicate or odd; the others are not here.
{{ found_rows('products') }}
