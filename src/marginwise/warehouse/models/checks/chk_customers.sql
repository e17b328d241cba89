-- Grain: one landed row of customers, accepted or not; never sum it without `where _is_current`.
{{ checked_rows('customers') }}
