-- Grain: one landed row of inventory, accepted or not; never sum it without `where _is_current`.
{{ checked_rows('inventory') }}
