"""Replies in Slack: how they look, and what their buttons do."""
