"""One run of everything, and what surrounds it."""
