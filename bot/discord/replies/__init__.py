"""Replies in Discord: how they are rendered, their buttons, and what a click does."""
