"""Runs live in memory; what is durable is written by `persist` and read by `resuming` alone."""

from typing import Any

import pytest
from langgraph.checkpoint.base import Checkpoint, empty_checkpoint
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Interrupt

from graph.checkpoints.checkpointer import InterruptCheckpointer, config_of


def checkpoint(question: str) -> Checkpoint:
    # The library's memory keeps values by their version.
    return {**empty_checkpoint(), "channel_values": {"question": question}, "channel_versions": {"question": question}}


@pytest.fixture
def checkpointer() -> InterruptCheckpointer:
    return InterruptCheckpointer(InMemorySaver())


async def run_to_the_interrupt(checkpointer: InterruptCheckpointer, question: str) -> None:
    place = await checkpointer.aput(
        config_of("turn"), checkpoint(question), {"source": "loop", "step": 1, "parents": {}}, {}
    )
    await checkpointer.aput_writes(place, [("__interrupt__", Interrupt(question))], "task")


async def question_of(checkpointer: InterruptCheckpointer) -> Any:
    found = await checkpointer.aget_tuple(config_of("turn"))
    return found.checkpoint["channel_values"]["question"] if found else None


async def test_a_run_writes_nothing_durable(checkpointer: InterruptCheckpointer) -> None:
    with checkpointer.starting("turn"):
        await run_to_the_interrupt(checkpointer, "how")
        assert await question_of(checkpointer) == "how"
        assert await checkpointer.durable.aget_tuple(config_of("turn")) is None
    assert await question_of(checkpointer) is None


async def test_what_is_persisted_is_read_when_the_run_resumes(checkpointer: InterruptCheckpointer) -> None:
    with checkpointer.starting("turn"):
        await run_to_the_interrupt(checkpointer, "how")
        checkpoint_id = await checkpointer.persist("turn")
    with checkpointer.resuming("turn", checkpoint_id):
        found = await checkpointer.aget_tuple(config_of("turn"))
        assert found
        assert found.checkpoint["channel_values"] == {"question": "how"}
        assert [(channel, value.value) for _, channel, value in found.pending_writes or ()] == [
            ("__interrupt__", "how")
        ]


async def test_a_run_from_the_beginning_reads_nothing_that_another_left(checkpointer: InterruptCheckpointer) -> None:
    with checkpointer.starting("turn"):
        await run_to_the_interrupt(checkpointer, "how")
        await checkpointer.persist("turn")
    with checkpointer.starting("turn"):
        assert await question_of(checkpointer) is None
    assert await question_of(checkpointer) == "how"


async def test_a_run_resumes_from_the_named_checkpoint_and_not_from_a_newer_one(
    checkpointer: InterruptCheckpointer,
) -> None:
    ids = []
    for question in ("reviewed", "newer"):
        with checkpointer.starting("turn"):
            await run_to_the_interrupt(checkpointer, question)
            ids.append(await checkpointer.persist("turn"))
    with checkpointer.resuming("turn", ids[0]):
        assert await question_of(checkpointer) == "reviewed"
    with checkpointer.resuming("turn", None):
        assert await question_of(checkpointer) == "newer"


async def test_a_durable_checkpoint_can_be_disregarded_until_the_run_ends(checkpointer: InterruptCheckpointer) -> None:
    with checkpointer.starting("turn"):
        await run_to_the_interrupt(checkpointer, "how")
        checkpoint_id = await checkpointer.persist("turn")
    with checkpointer.resuming("turn", checkpoint_id):
        checkpointer.disregard_durable("turn")
        assert await question_of(checkpointer) is None
    assert await question_of(checkpointer) == "how"


async def test_a_run_that_fails_leaves_nothing_in_memory(checkpointer: InterruptCheckpointer) -> None:
    with pytest.raises(RuntimeError), checkpointer.starting("turn"):  # noqa: PT012 - the failure is the run's
        await run_to_the_interrupt(checkpointer, "how")
        raise RuntimeError
    assert await question_of(checkpointer) is None


async def test_a_run_that_has_no_checkpoint_cannot_be_persisted(checkpointer: InterruptCheckpointer) -> None:
    with pytest.raises(LookupError):
        await checkpointer.persist("turn")


async def test_deleting_leaves_nothing_durable(checkpointer: InterruptCheckpointer) -> None:
    with checkpointer.starting("turn"):
        await run_to_the_interrupt(checkpointer, "how")
        await checkpointer.persist("turn")
    await checkpointer.delete(("turn", "unknown"))
    assert await question_of(checkpointer) is None
