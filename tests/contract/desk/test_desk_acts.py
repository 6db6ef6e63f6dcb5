"""Every act that changes something for a workspace is published by the desk itself, on SQLite and PostgreSQL."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from datetime import timedelta

import pytest

from storage import clock
from storage.errors import InvalidError, NotFoundError
from storage.queue.jobs import JobKind
from storage.records import (
    ConversationStatus,
    Decision,
    DecisionKind,
    DocumentStatus,
    Member,
    Mode,
    Priority,
    Role,
    Route,
)
from tests.support.passwords import PASSWORD
from tests.support.workers import KNOWN, RISKY, Desks, Worker, incoming

APPROVE = Decision(kind=DecisionKind.APPROVE)


async def written(worker: Worker, text: str) -> str:
    """A conversation with this message, answered or held; gives its id."""
    accepted = await worker.intake.accept(incoming(text))
    await worker.drain()
    return accepted.conversation_id


async def published(desks: Desks, act: Awaitable[object], *keys: str) -> set[str]:
    """Which of these keys the act wakes."""
    with ExitStack() as stack:
        news = {key: stack.enter_context(desks.store.cluster.events.listen(key)) for key in keys}
        await act
        return {key for key, event in news.items() if event.is_set()}


Act = Callable[[Worker, Member, str, str], Awaitable[object]]
ACTS: dict[str, Act] = {
    "decide": lambda worker, member, _, review_id: worker.desk.decide(member, review_id, APPROVE, based_on=1),
    "claim": lambda worker, member, _, review_id: worker.desk.claim(member, review_id),
    "release": lambda worker, member, _, review_id: worker.desk.release(member, review_id),
    "take over": lambda worker, member, conversation_id, _: worker.desk.take_over(member, conversation_id),
    "note": lambda worker, member, conversation_id, _: worker.desk.note(member, conversation_id, "A note."),
    "assign": lambda worker, member, conversation_id, _: worker.desk.assign(member, conversation_id, member.id),
    "priority": lambda worker, member, conversation_id, _: worker.desk.set_priority(
        member, conversation_id, Priority.LOW
    ),
    "ask a person": lambda worker, _, conversation_id, __: worker.desk.ask_person("demo", conversation_id),
    "resolve": lambda worker, member, conversation_id, _: worker.desk.resolve("demo", conversation_id, member),
    "close": lambda worker, member, conversation_id, _: worker.desk.close("demo", conversation_id, member),
}


@pytest.mark.parametrize("name", ACTS)
async def test_an_act_wakes_who_waits_for_the_conversation_or_the_workspace(desks: Desks, name: str) -> None:
    worker, member = desks.worker(), desks.agents[0]
    conversation_id = await written(worker, RISKY)
    (review,) = await desks.pending()
    act = ACTS[name](worker, member, conversation_id, review.id)
    assert await published(desks, act, conversation_id, "demo", "other") == {conversation_id, "demo"}


async def test_a_vote_is_kept_and_published(desks: Desks) -> None:
    worker = desks.worker()
    conversation_id = await written(worker, KNOWN)
    reply = (await desks.said(conversation_id))[-1]
    vote = worker.desk.vote("demo", conversation_id, reply.id, "down", "Too short.")
    assert await published(desks, vote, conversation_id, "demo") == {conversation_id, "demo"}
    assert (await desks.said(conversation_id))[-1].vote == "down"


async def test_an_act_that_is_refused_is_not_published(desks: Desks) -> None:
    worker = desks.worker()
    conversation_id = await written(worker, KNOWN)

    async def refused() -> None:
        with pytest.raises(NotFoundError):
            await worker.desk.vote("demo", conversation_id, "0" * 32, "up")

    assert await published(desks, refused(), conversation_id, "demo") == set()


async def test_the_conversations_of_a_removed_member_are_published(desks: Desks) -> None:
    worker, member = desks.worker(), desks.agents[0]
    admin = await desks.store.accounts.members.add("demo", "boss@demo.example", "Boss", Role.ADMIN, PASSWORD)
    conversation_id = await written(worker, RISKY)
    await worker.desk.take_over(member, conversation_id)
    removal = asyncio.create_task(worker.desk.remove_member(admin, member.id))
    assert await published(desks, removal, conversation_id, "demo") == {conversation_id, "demo"}
    assert removal.result() == 1


async def test_the_notice_of_a_wish_for_a_person_is_the_workspace_s_own(desks: Desks) -> None:
    worker = desks.worker()
    conversation_id = await written(worker, KNOWN)
    await worker.desk.ask_person("demo", conversation_id)
    assert "a person from our team" in (await desks.said(conversation_id))[-1].text
    conversation = await desks.store.conversations.reading.read("demo", conversation_id)
    assert conversation.status is ConversationStatus.ASSIGNED


async def test_an_overdue_customer_is_published_once(desks: Desks) -> None:
    worker = desks.worker()
    conversation_id = await written(worker, RISKY)
    with clock.shifted(timedelta(hours=1)):
        overdue = worker.desk.remind_overdue(timedelta(minutes=30))
        assert await published(desks, overdue, conversation_id, "demo") == {conversation_id, "demo"}
        again = worker.desk.remind_overdue(timedelta(minutes=30))
        assert await published(desks, again, conversation_id, "demo") == set()


async def test_a_document_is_published_when_it_comes_when_it_is_loaded_and_when_it_goes(desks: Desks) -> None:
    worker = desks.worker()
    admin = await desks.store.accounts.members.add("demo", "boss@demo.example", "Boss", Role.ADMIN, PASSWORD)
    with pytest.raises(InvalidError):
        await worker.desk.add_document(admin, "program.exe", b"")
    adding = asyncio.create_task(worker.desk.add_document(admin, "more.csv", b"question,answer\nWhy?,Because.\n"))
    assert await published(desks, adding, "demo") == {"demo"}
    document = adding.result()
    assert worker.take(JobKind.LOAD).id == document.id
    assert await published(desks, worker.desk.load_document(document.id), "demo") == {"demo"}
    catalogue = desks.store.knowledge.catalogue
    assert (await catalogue.get("demo", document.id)).status is DocumentStatus.READY
    assert await published(desks, worker.desk.delete_document(admin, document.id), "demo") == {"demo"}
    with pytest.raises(NotFoundError):
        await catalogue.get("demo", document.id)


async def test_past_drafts_are_replayed_under_other_settings(desks: Desks) -> None:
    worker = desks.worker()
    await written(worker, KNOWN)
    settings = (await desks.store.accounts.workspaces.read("demo")).settings
    (as_it_is,) = await worker.desk.replay_policy("demo", settings, 50)
    assert as_it_is.verdict.route is Route.SEND
    reviewed = settings.model_copy(update={"channel_modes": {"slack": Mode.DRAFT}})
    (other,) = await worker.desk.replay_policy("demo", reviewed, 50)
    assert other.verdict.held_because == ("Every reply is reviewed here.",)
