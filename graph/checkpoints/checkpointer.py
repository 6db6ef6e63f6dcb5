"""Interrupt-only persistence: run in memory, persist at the interrupt, resume from the named checkpoint.

LangGraph writes a checkpoint when any run ends, also one that nobody will ever resume. A turn that is answered at once
should cost the store nothing, and a checkpoint should stand there only while a person has to decide. So:

1. `starting(turn)`: the run reads and writes memory alone.
2. `persist(turn)`: it stopped at the interrupt; its last checkpoint is written durably, and the review keeps the id.
3. `resuming(turn, checkpoint_id)`: the decision came, perhaps to another process; the run reads that checkpoint and
   goes on in memory. It ends, or stops again and is persisted again.
4. `delete(turns)`: the turn has ended; nothing of it stays in the store.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
)

from graph.checkpoints.in_memory import InMemoryCheckpoints

GRAPH_VERSION = "graph_version"
"""The key of a durable checkpoint's metadata that says which version of the graph wrote it."""
NO_CHECKPOINT = object()
"""Where a run begins that reads nothing durable."""


def config_of(turn_id: str, checkpoint_id: str | None = None) -> RunnableConfig:
    """The LangGraph thread of a turn: its newest checkpoint, or a named one."""
    names = {"thread_id": turn_id, "checkpoint_ns": ""}
    return {"configurable": names if checkpoint_id is None else {**names, "checkpoint_id": checkpoint_id}}


class InterruptCheckpointer(BaseCheckpointSaver[str]):
    """A LangGraph checkpointer over a durable one, which it writes only when it is told to."""

    def __init__(self, durable: BaseCheckpointSaver[str]) -> None:
        super().__init__(serde=durable.serde)
        self.durable = durable
        self.graph_version = ""
        """Of the graph that runs over it; what is persisted carries it. Whoever runs the graph sets it."""
        self._memory = InMemoryCheckpoints()
        self._begun_at: dict[str, object] = {}
        """By the turn of each run that is under way: the durable checkpoint that it reads first, or NOTHING."""

    @contextmanager
    def starting(self, turn_id: str) -> Iterator[None]:
        """A run from the beginning: what a cut-off run of the same turn left in the store is not read."""
        with self._running(turn_id, NO_CHECKPOINT):
            yield

    @contextmanager
    def resuming(self, turn_id: str, checkpoint_id: str | None) -> Iterator[None]:
        """A run from the checkpoint that the review is about; None: from the newest.

        Named, because another worker's run over the same turn may have left a newer one.
        """
        with self._running(turn_id, checkpoint_id):
            yield

    @contextmanager
    def _running(self, turn_id: str, begun_at: object) -> Iterator[None]:
        self._memory.forget(turn_id)
        self._begun_at[turn_id] = begun_at
        try:
            yield
        finally:
            self._memory.forget(turn_id)
            self._begun_at.pop(turn_id, None)

    def disregard_durable(self, turn_id: str) -> None:
        """The run under way cannot use its durable checkpoint: it reads memory alone from now on."""
        self._begun_at[turn_id] = NO_CHECKPOINT

    async def persist(self, turn_id: str) -> str:
        """Write the run's last checkpoint, with its interrupt, to the durable store; gives its id."""
        last = self._memory.latest(turn_id)
        if last is None:
            raise LookupError(turn_id)
        versions = last.checkpoint["channel_versions"]
        metadata = cast("CheckpointMetadata", {**last.metadata, GRAPH_VERSION: self.graph_version})
        written = await self.durable.aput(config_of(turn_id), last.checkpoint, metadata, versions)
        for task_id, writes in _by_task(last).items():
            await self.durable.aput_writes(written, writes, task_id)
        return str(last.checkpoint["id"])

    async def delete(self, turn_ids: Sequence[str]) -> None:
        """Delete the durable checkpoints of turns that have ended."""
        for turn_id in turn_ids:
            await self.durable.adelete_thread(turn_id)

    # What LangGraph calls.

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """The run's own checkpoint if it has one, else the durable one that it goes on from."""
        turn_id = config["configurable"]["thread_id"]
        in_memory = self._memory.latest(turn_id)
        begun_at = self._begun_at.get(turn_id)
        if in_memory is not None or begun_at is NO_CHECKPOINT:
            return in_memory
        # The id is not told to LangGraph, which would take it for time travel and run the nodes before it again.
        return await self.durable.aget_tuple(config if begun_at is None else config_of(turn_id, str(begun_at)))

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,  # noqa: ARG002 - LangGraph's signature
    ) -> RunnableConfig:
        """Into memory, with the values of all channels."""
        return self._memory.put(config, checkpoint, metadata)

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",  # noqa: ARG002 - LangGraph's signature
    ) -> None:
        """Into memory."""
        self._memory.put_writes(config, writes, task_id)

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002 - LangGraph's signature
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """What is durable."""
        async for item in self.durable.alist(config, filter=filter, before=before, limit=limit):
            yield item

    async def adelete_thread(self, thread_id: str) -> None:
        """From memory and from the store."""
        self._memory.forget(thread_id)
        await self.durable.adelete_thread(thread_id)

    def get_next_version(self, current: str | None, channel: None) -> str:
        """As the durable store counts."""
        return self.durable.get_next_version(current, channel)

    def list(self, *args: Any, **kwargs: Any) -> Iterator[CheckpointTuple]:
        """What is durable; raises there, since the desk is asynchronous throughout."""
        return self.durable.list(*args, **kwargs)


def _by_task(last: CheckpointTuple) -> dict[str, list[tuple[str, Any]]]:
    writes: defaultdict[str, list[tuple[str, Any]]] = defaultdict(list)
    for task_id, channel, value in last.pending_writes or ():
        writes[task_id].append((channel, value))
    return writes
