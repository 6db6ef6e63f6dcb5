"""How a message becomes a reply."""
