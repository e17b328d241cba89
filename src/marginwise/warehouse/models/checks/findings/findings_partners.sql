-- Grain: one landed row of partners that is broken, superseded, duplicate or odd; the others are not here.
{{ found_rows('partners') }}
