-- Grain: one version of one subscription; key store_id, subscription_id, valid_from.
{{ staged_rows('subscriptions') }}
