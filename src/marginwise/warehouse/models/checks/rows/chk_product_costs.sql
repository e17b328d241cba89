-- Grain: one landed row of product_costs, accepted or not; sum nothing of it without `where _is_current`.
{{ checked_rows('product_costs') }}
