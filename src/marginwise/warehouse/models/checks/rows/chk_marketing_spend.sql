-- Grain: one landed row of marketing_spend, accepted or not; sum nothing of it without `where _is_current`.
{{ checked_rows('marketing_spend') }}
