"""Opens, loads, reads and publishes warehouses; the only caller of dbt."""
