-- Grain: one landed row of partners, accepted or not; never sum it without `where _is_current`.
{{ checked_rows('partners') }}
