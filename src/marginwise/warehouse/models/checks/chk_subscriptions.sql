-- Grain: one landed row of subscriptions, accepted or not; never sum it without `where _is_current`.
{{ checked_rows('subscriptions') }}
