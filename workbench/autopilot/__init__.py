"""The Autopilot tab."""
