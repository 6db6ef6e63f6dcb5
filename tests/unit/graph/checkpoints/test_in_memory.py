"""What a run's memory gives back is what a checkpoint store would."""

from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import Checkpoint, empty_checkpoint
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Interrupt

from graph.checkpoints.checkpointer import config_of
from graph.checkpoints.in_memory import InMemoryCheckpoints

WRITES: list[tuple[str, Any]] = [("question", "one"), ("__interrupt__", Interrupt("first")), ("answer", 2)]
AGAIN: list[tuple[str, Any]] = [("question", "another"), ("__interrupt__", Interrupt("second"))]


def checkpoint(**values: Any) -> Checkpoint:
    versions: dict[str, str | int | float] = dict.fromkeys(values, "1")
    return {**empty_checkpoint(), "channel_values": values, "channel_versions": versions}


def fill(memory: Any, kept: Checkpoint, *versions: Any) -> None:
    place: RunnableConfig = memory.put(config_of("turn"), kept, {"source": "loop", "step": 1, "parents": {}}, *versions)
    for writes in (WRITES, AGAIN):
        memory.put_writes(place, writes, "task")


def test_it_agrees_with_the_library_s_own_memory() -> None:
    kept, saver, memory = checkpoint(question="how", hits=[1, 2]), InMemorySaver(), InMemoryCheckpoints()
    fill(memory, kept)
    fill(saver, kept, kept["channel_versions"])
    theirs, ours = saver.get_tuple(config_of("turn")), memory.latest("turn")
    assert theirs
    assert ours
    assert ours.checkpoint["channel_values"] == theirs.checkpoint["channel_values"]
    assert sorted(ours.pending_writes or (), key=str) == sorted(theirs.pending_writes or (), key=str)
    assert ours.config["configurable"] == theirs.config["configurable"]


def test_what_was_given_out_can_be_changed_without_harm() -> None:
    memory = InMemoryCheckpoints()
    fill(memory, checkpoint(question="how"))
    given = memory.latest("turn")
    assert given
    given.checkpoint["channel_values"]["question"] = "changed"
    again = memory.latest("turn")
    assert again
    assert again.checkpoint["channel_values"] == {"question": "how"}


def test_a_new_checkpoint_replaces_the_one_before_with_its_writes() -> None:
    memory = InMemoryCheckpoints()
    fill(memory, checkpoint(question="how"))
    old = memory.latest("turn")
    assert old
    memory.put(config_of("turn"), checkpoint(question="why"), {"source": "loop", "step": 2, "parents": {}})
    memory.put_writes(old.config, WRITES, "late")
    new = memory.latest("turn")
    assert new
    assert new.checkpoint["channel_values"] == {"question": "why"}
    assert new.pending_writes == []


def test_a_run_that_is_over_leaves_nothing() -> None:
    memory = InMemoryCheckpoints()
    fill(memory, checkpoint(question="how"))
    memory.forget("turn")
    assert memory.latest("turn") is None
