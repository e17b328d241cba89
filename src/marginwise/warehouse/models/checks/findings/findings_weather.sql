-- Grain: one landed row of weather that is broken, superseded, duplicate or odd; the others are not here.
{{ found_rows('weather') }}
