-- Grain: one review; key store_id, review_id.
{{ staged_rows('reviews') }}
