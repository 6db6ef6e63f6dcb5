"""Input guarding: personal data, credentials and prompt injection."""
