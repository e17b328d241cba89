-- Grain: one landed row of sessions, accepted or not; never sum it without `where _is_current`.
{{ checked_rows('sessions') }}
