"""How people talk to Deskhand: one adapter per channel."""
