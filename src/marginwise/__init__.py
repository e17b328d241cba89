"""An e-commerce analytics warehouse that ends in a decision."""
