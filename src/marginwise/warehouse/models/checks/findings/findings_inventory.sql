-- Grain: one landed row of inventory that is broken, superseded, duplicate or odd; the others are not here.
{{ found_rows('inventory') }}
