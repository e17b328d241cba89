"""Readers of the published store."""
