"""Simulated stores whose truth is known, and the promises of the verdicts held against it."""
