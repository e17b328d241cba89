-- Grain: one interaction; key store_id, event_id.
{{ staged_rows('events') }}
