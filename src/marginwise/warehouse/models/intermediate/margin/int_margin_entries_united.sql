-- Grain: one counted order line, or one refund of goods that lies on no order line (entry_kind).
-- Everything a margin is made of, once: all marts sum these rows. Margins are null where the goods cost is unknown.
{{ config(materialized='view') }}

{{ margin_entries() }}
