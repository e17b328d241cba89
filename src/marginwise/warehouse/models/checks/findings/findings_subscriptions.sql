-- Grain: one landed row of subscriptions that is broken, superseded, duplicate or odd; the others are not here.
{{ found_rows('subscriptions') }}
