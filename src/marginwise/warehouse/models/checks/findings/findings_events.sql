-- Grain: one landed row of events that is broken, superseded, duplicate or odd; the others are not here.
{{ found_rows('events') }}
