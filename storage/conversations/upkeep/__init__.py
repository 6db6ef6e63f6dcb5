"""Periodic upkeep of conversations: reminders of what waits too long, and retention."""
