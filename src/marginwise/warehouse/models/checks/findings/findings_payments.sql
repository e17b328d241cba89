-- Grain: one landed row of payments that is broken, superseded, duplicate or odd; all others are fine and not here.
{{ found_rows('payments') }}
