-- Grain: one visit; key store_id, session_id.
{{ staged_rows('sessions') }}
