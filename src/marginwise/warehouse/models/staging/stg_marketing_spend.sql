-- Grain: one day of one campaign; key store_id, spend_date, channel, campaign.
{{ staged_rows('marketing_spend') }}
