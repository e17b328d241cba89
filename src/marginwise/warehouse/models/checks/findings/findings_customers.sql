-- Grain: one landed row of customers that is broken, superseded, duplicate or odd; all others are fine and not here.
{{ found_rows('customers') }}
