-- Grain: one landed row of product_costs that is broken, superseded, duplicate or odd; the others are not here.
{{ found_rows('product_costs') }}
