-- Grain: one landed row of sessions that is broken, superseded, duplicate or odd; the others are not here.
{{ found_rows('sessions') }}
