"""The documentation and the programs that draw parts of it."""
