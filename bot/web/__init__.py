"""The web channel: the REST interface for customers, server-sent events and the chat page."""
