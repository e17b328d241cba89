-- Grain: one landed row of weather, accepted or not; never sum it without `where _is_current`.
{{ checked_rows('weather') }}
