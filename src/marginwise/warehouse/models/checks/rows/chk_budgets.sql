-- Grain: one landed row of budgets, accepted or not; sum nothing of it without `where _is_current`.
{{ checked_rows('budgets') }}
