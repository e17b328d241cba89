-- Grain: one landed row of payments that is broken, superseded, duplicate or odd; the others are not here.
{{ found_rows('payments') }}
