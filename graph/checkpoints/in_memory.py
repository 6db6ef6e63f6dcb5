"""In-memory checkpoints of the runs that are under way, as objects: what nobody will resume is never serialised."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    copy_checkpoint,
)

Write = tuple[str, str, Any]
"""The task's id, the channel and the value."""


@dataclass(frozen=True, slots=True)
class _Entry:
    config: RunnableConfig
    checkpoint: Checkpoint
    metadata: CheckpointMetadata
    writes: dict[tuple[str, int], Write] = field(default_factory=dict)
    """By the task's id and the write's index."""


class InMemoryCheckpoints:
    """The latest checkpoint of each run, with the writes that belong to it."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}

    def latest(self, thread_id: str) -> CheckpointTuple | None:
        """As a checkpoint store gives it; changing the result changes nothing here."""
        entry = self._entries.get(thread_id)
        if entry is None:
            return None
        writes = list(entry.writes.values())
        return CheckpointTuple(entry.config, copy_checkpoint(entry.checkpoint), entry.metadata, None, writes)

    def put(self, config: RunnableConfig, checkpoint: Checkpoint, metadata: CheckpointMetadata) -> RunnableConfig:
        """Keep a checkpoint instead of the one before; gives its address."""
        names = config["configurable"]
        thread_id = names["thread_id"]
        address: RunnableConfig = {
            "configurable": {
                "thread_id": thread_id,
                "checkpoint_ns": names.get("checkpoint_ns", ""),
                "checkpoint_id": checkpoint["id"],
            }
        }
        self._entries[thread_id] = _Entry(address, copy_checkpoint(checkpoint), metadata)
        return address

    def put_writes(self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str) -> None:
        """Keep what a task wrote; of the same write the first counts, of an interrupt or an error the last."""
        names = config["configurable"]
        entry = self._entries.get(names["thread_id"])
        if entry is None or entry.checkpoint["id"] != names["checkpoint_id"]:
            return  # of a checkpoint that another one has replaced
        for number, (channel, value) in enumerate(writes):
            # Negative for an interrupt, an error and the like.
            index = WRITES_IDX_MAP.get(channel, number)
            if index < 0 or (task_id, index) not in entry.writes:
                entry.writes[task_id, index] = (task_id, channel, value)

    def forget(self, thread_id: str) -> None:
        """The run is over."""
        self._entries.pop(thread_id, None)
