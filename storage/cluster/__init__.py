"""Processes beside each other: events, leases and channel status across a deployment."""
