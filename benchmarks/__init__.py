"""Measurements: what the statistics are worth, and what they cost in time."""
