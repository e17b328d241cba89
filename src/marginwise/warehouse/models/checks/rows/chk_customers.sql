-- Grain: one landed row of customers, accepted or not; sum nothing of it without `where _is_current`.
{{ checked_rows('customers') }}
