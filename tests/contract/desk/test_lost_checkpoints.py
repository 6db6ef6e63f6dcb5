"""A review whose checkpoint is gone, or of a version that named its records otherwise, is decided all the same."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from graph.checkpoints.checkpointer import GRAPH_VERSION, config_of
from storage.embeddings.protocol import Embedder
from storage.records import ConversationStatus, DecisionKind
from tests.contract.desk.test_desk import RISKY, Talk, talking
from tests.support.settings import settings_for


@pytest.fixture
async def held(tmp_path: Path, database_url: str, embedder: Embedder) -> AsyncIterator[Talk]:
    """A desk with a waiting review and an empty checkpoint store."""
    async with talking(settings_for(tmp_path, database_url), embedder) as talk:
        await talk.say(RISKY)
        await talk.process.runner.checkpoints.durable.adelete_thread((await talk.pending()).turn_id)
        assert await talk.checkpoints() == 0
        yield talk


async def conversation_of(talk: Talk) -> str:
    (conversation,) = (await talk.store.conversations.reading.page("demo")).items
    return conversation.id


@pytest.mark.parametrize("kind", [DecisionKind.APPROVE, DecisionKind.EDIT])
async def test_the_draft_that_the_person_saw_is_sent(held: Talk, kind: DecisionKind) -> None:
    review, conversation_id = await held.pending(), await conversation_of(held)
    await held.decide(kind, text="A person's reply.")
    expected = review.draft.text if kind is DecisionKind.APPROVE else "A person's reply."
    assert (await held.said(conversation_id))[-1].text == expected
    assert await held.status(conversation_id) is ConversationStatus.OPEN
    assert await held.checkpoints() == 0


async def test_a_rejected_draft_is_made_again_and_waits(held: Talk) -> None:
    first = await held.pending()
    await held.decide(DecisionKind.REJECT, guidance="How do I reset my password?")
    again = await held.pending()
    assert again.version == first.version + 1
    assert again.draft.text != first.draft.text
    assert await held.checkpoints() == 1
    await held.decide(DecisionKind.APPROVE)
    assert (await held.said(await conversation_of(held)))[-1].text == again.draft.text


@pytest.mark.parametrize(
    ("kind", "status"),
    [(DecisionKind.ESCALATE, ConversationStatus.ASSIGNED), (DecisionKind.DISMISS, ConversationStatus.OPEN)],
)
async def test_a_person_takes_it_or_nothing_is_sent(held: Talk, kind: DecisionKind, status: ConversationStatus) -> None:
    conversation_id = await conversation_of(held)
    before = [message.text for message in await held.said(conversation_id)]
    await held.decide(kind)
    assert await held.status(conversation_id) is status
    assert [message.text for message in await held.said(conversation_id)] == before


async def test_a_checkpoint_of_records_that_are_not_known_any_more_is_rebuilt(
    tmp_path: Path, database_url: str, embedder: Embedder
) -> None:
    async with talking(settings_for(tmp_path, database_url), embedder) as talk:
        await talk.say(RISKY)
        review, conversation_id = await talk.pending(), await conversation_of(talk)
        # As after an upgrade that moved every record's class: none of the checkpoint's types is allowed.
        talk.process.runner.checkpoints.durable.serde = JsonPlusSerializer(allowed_msgpack_modules=[])
        await talk.decide(DecisionKind.APPROVE)
        assert (await talk.said(conversation_id))[-1].text == review.draft.text
        assert await talk.checkpoints() == 0


async def rewrite(talk: Talk, renamed: dict[str, str], version: str | None) -> None:
    """Store the waiting checkpoint as a graph whose nodes and channels had other names would have."""
    durable, turn_id = talk.process.runner.checkpoints.durable, (await talk.pending()).turn_id
    stored = await durable.aget_tuple(config_of(turn_id))
    assert stored

    def as_before(value: Any) -> Any:
        if isinstance(value, dict):
            return {renamed.get(name, name): as_before(item) for name, item in value.items()}
        return value

    checkpoint: Any = as_before(stored.checkpoint)
    metadata: Any = {key: item for key, item in stored.metadata.items() if key != GRAPH_VERSION}
    metadata |= {} if version is None else {GRAPH_VERSION: version}
    await durable.aput(config_of(turn_id), checkpoint, metadata, checkpoint["channel_versions"])


RENAMED_NODE = {"review": "approval", "branch:to:review": "branch:to:approval"}


UPGRADES = ((RENAMED_NODE, None), ({"verdict": "ruling"}, "of the release before"))
"""What the release before called otherwise, and the version that its checkpoint carries."""


@pytest.mark.parametrize(("renamed", "version"), UPGRADES, ids=["node", "channel"])
@pytest.mark.parametrize("kind", DecisionKind)
async def test_every_decision_survives_an_upgrade_of_the_graph(
    tmp_path: Path,
    database_url: str,
    embedder: Embedder,
    kind: DecisionKind,
    renamed: dict[str, str],
    version: str | None,
) -> None:
    async with talking(settings_for(tmp_path, database_url), embedder) as talk:
        await talk.say(RISKY)
        review, conversation_id = await talk.pending(), await conversation_of(talk)
        await rewrite(talk, renamed, version)
        await talk.decide(kind, text="A person's reply.", guidance="How do I reset my password?")
        last = (await talk.said(conversation_id))[-1].text
        match kind:
            case DecisionKind.APPROVE:
                assert last == review.draft.text
            case DecisionKind.EDIT:
                assert last == "A person's reply."
            case DecisionKind.REJECT:
                assert (await talk.pending()).version == review.version + 1
            case DecisionKind.ESCALATE:
                assert await talk.status(conversation_id) is ConversationStatus.ASSIGNED
            case DecisionKind.DISMISS:
                assert await talk.status(conversation_id) is ConversationStatus.OPEN
        # A rejected draft's stays until its turn ends.
        assert kind is DecisionKind.REJECT or await talk.checkpoints() == 0
