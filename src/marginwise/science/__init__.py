"""Statistics on marts: tables in, tables out."""
