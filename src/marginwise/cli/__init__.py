"""The command line: commands parse and print, reports gather, the console shows."""
