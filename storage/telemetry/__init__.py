"""Telemetry: logging, metrics, traces and health."""
