"""A review whose checkpoint is gone, or of a version that named its records otherwise, is decided all the same."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

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
