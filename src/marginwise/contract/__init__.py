"""The source contract: what every table of a store must look like."""
