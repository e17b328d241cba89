-- Grain: one landed row of events, accepted or not; never sum it without `where _is_current`.
{{ checked_rows('events') }}
