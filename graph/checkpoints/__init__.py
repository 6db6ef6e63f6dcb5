"""Checkpoint storage: what LangGraph keeps of a run, and of a run that waits for a person."""
