"""The checkpoints of the runs that are under way, kept as they are: what nobody will resume is never serialised."""

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
class _Kept:
    config: RunnableConfig
    checkpoint: Checkpoint
    metadata: CheckpointMetadata
    writes: dict[tuple[str, int], Write] = field(default_factory=dict)


class InMemoryCheckpoints:
    """The latest checkpoint of each run, with the writes that belong to it."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}

    def latest(self, thread_id: str) -> CheckpointTuple | None:
        """As a checkpoint store gives it; changing the result changes nothing here."""
        kept = self._kept.get(thread_id)
        if kept is None:
            return None
        writes = list(kept.writes.values())
        return CheckpointTuple(kept.config, copy_checkpoint(kept.checkpoint), kept.metadata, None, writes)

    def put(self, config: RunnableConfig, checkpoint: Checkpoint, metadata: CheckpointMetadata) -> RunnableConfig:
        """Keep a checkpoint instead of the one before; gives its address."""
        names = config["configurable"]
        thread_id = names["thread_id"]
        place: RunnableConfig = {
            "configurable": {
                "thread_id": thread_id,
                "checkpoint_ns": names.get("checkpoint_ns", ""),
                "checkpoint_id": checkpoint["id"],
            }
        }
        self._kept[thread_id] = _Kept(place, copy_checkpoint(checkpoint), metadata)
        return place

    def put_writes(self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str) -> None:
        """Keep what a task wrote; of the same write the first counts, of an interrupt or an error the last."""
        names = config["configurable"]
        kept = self._kept.get(names["thread_id"])
        if kept is None or kept.checkpoint["id"] != names["checkpoint_id"]:
            return  # of a checkpoint that another one has replaced
        for number, (channel, value) in enumerate(writes):
            index = WRITES_IDX_MAP.get(channel, number)
            if index < 0 or (task_id, index) not in kept.writes:
                kept.writes[task_id, index] = (task_id, channel, value)

    def forget(self, thread_id: str) -> None:
        """The run is over."""
        self._kept.pop(thread_id, None)
