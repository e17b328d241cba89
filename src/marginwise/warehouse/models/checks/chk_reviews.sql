-- Grain: one landed row of reviews, accepted or not; never sum it without `where _is_current`.
{{ checked_rows('reviews') }}
