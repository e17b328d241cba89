-- Grain: one landed row of budgets, accepted or not; never sum it without `where _is_current`.
{{ checked_rows('budgets') }}
