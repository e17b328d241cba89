-- Grain: one landed row of payments, accepted or not; never sum it without `where _is_current`.
{{ checked_rows('payments') }}
