-- Grain: one landed row of customers that is broken, superseded, duplicate or odd; the others are not here.
{{ found_rows('customers') }}
