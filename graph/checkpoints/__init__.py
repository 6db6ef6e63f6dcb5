"""Checkpoints: runs live in memory, only a run that waits for a person is persisted."""
