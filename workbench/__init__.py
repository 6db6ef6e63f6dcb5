"""How agents and admins work."""
