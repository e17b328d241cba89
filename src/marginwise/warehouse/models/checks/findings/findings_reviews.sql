-- Grain: one landed row of reviews that is broken, superseded, duplicate or odd; the others are not here.
{{ found_rows('reviews') }}
