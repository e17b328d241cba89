-- Grain: one landed row of orders, accepted or not; never sum it without `where _is_current`.
{{ checked_rows('orders') }}
