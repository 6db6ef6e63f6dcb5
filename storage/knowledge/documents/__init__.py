"""How documents become chunks."""
