-- Grain: one landed row of products, accepted or not; never sum it without `where _is_current`.
{{ checked_rows('products') }}
