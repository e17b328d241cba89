-- Grain: one partner, versions by updated_at; key store_id, partner_id, updated_at.
{{ staged_rows('partners') }}
