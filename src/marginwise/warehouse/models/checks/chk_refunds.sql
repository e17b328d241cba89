-- Grain: one landed row of refunds, accepted or not; never sum it without `where _is_current`.
{{ checked_rows('refunds') }}
