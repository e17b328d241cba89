"""Verdicts, their reasons, and the memo."""
