-- Grain: one landed row of order_items, accepted or not; sum nothing of it without `where _is_current`.
{{ checked_rows('order_items') }}
