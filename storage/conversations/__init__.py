"""Conversations and their messages: intake, reading, actions, outbox and upkeep."""
