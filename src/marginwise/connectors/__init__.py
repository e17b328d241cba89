"""Foreign shapes in, contract tables out."""
