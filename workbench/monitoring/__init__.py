"""The Monitoring tab."""
