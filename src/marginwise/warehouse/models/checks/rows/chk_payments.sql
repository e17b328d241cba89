-- Grain: one landed row of payments, accepted or not; sum nothing of it without `where _is_current`.
{{ checked_rows('payments') }}
