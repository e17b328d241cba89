-- Grain: one landed row of marketing_spend that is broken, superseded, duplicate or odd; the others are not here.
{{ found_rows('marketing_spend') }}
