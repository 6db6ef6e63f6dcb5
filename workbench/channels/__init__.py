"""The Channels tab."""
