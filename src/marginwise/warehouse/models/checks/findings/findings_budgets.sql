-- Grain: one landed row of budgets that is broken, superseded, duplicate or odd; the others are not here.
{{ found_rows('budgets') }}
