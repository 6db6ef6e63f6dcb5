"""The nodes of the machine, one concept per file."""
