"""Reporting: analytics, monitoring and recent activity of a workspace."""
