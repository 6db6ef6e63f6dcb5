"""Triage: intent, priority, language, and whether a person is wanted."""
