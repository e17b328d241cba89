-- Grain: one landed row of marketing_spend that is broken, superseded, duplicate or odd; all others are fine and not here.
{{ found_rows('marketing_spend') }}
