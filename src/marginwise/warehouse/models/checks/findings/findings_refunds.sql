-- Grain: one landed row of refunds that is broken, superseded, duplicate or odd; the others are not here.
{{ found_rows('refunds') }}
