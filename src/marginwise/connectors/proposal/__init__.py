"""Looks at an unknown file and proposes how it maps to the contract, as text the user edits."""
