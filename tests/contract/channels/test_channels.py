"""What every channel must do, whatever the platform."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from storage.embeddings.protocol import Embedder
from storage.records import Conversation, ConversationStatus, Decision, DecisionKind, Message, Review, ReviewStatus
from tests.contract.channels.seats import Ability, Seat, open_seat

KNOWN, UNKNOWN = "How do I reset my password?", "Does the moon base have parking?"
EXPORT = "How do I export my data?"
ANSWER, EXPORT_ANSWER = "Forgot password", "Export"


@pytest.fixture(params=["slack", "discord", "web", "platform"])
async def seat(request: pytest.FixtureRequest, tmp_path: Path, embedder: Embedder) -> AsyncIterator[Seat]:
    async with open_seat(request.param, tmp_path, embedder) as seat:
        yield seat


def need(seat: Seat, ability: Ability) -> None:
    if ability not in seat.can:
        pytest.skip(f"this channel has no {ability}")


async def until(look: Callable[[], Awaitable[bool]], seconds: float = 60.0) -> None:
    async with asyncio.timeout(seconds):
        while not await look():  # noqa: ASYNC110 - looks at other servers' memory and at rows
            await asyncio.sleep(0.03)


async def replies(seat: Seat, thread: str, number: int) -> list[str]:
    async def are_there() -> bool:
        return len(await seat.shown(thread)) >= number

    await until(are_there)
    return await seat.shown(thread)


async def the_conversation(seat: Seat) -> Conversation:
    async def is_there() -> bool:
        return bool((await seat.process.store.conversations.reading.page("demo")).items)

    await until(is_there)
    (conversation,) = (await seat.process.store.conversations.reading.page("demo")).items
    return conversation


async def said(seat: Seat) -> list[Message]:
    conversation = await the_conversation(seat)
    return await seat.process.store.conversations.messages.of_conversation("demo", conversation.id)


async def waiting_review(seat: Seat) -> Review:
    async def is_there() -> bool:
        return bool((await seat.process.store.conversations.reviews.page("demo", ReviewStatus.PENDING)).items)

    await until(is_there)
    return (await seat.process.store.conversations.reviews.page("demo", ReviewStatus.PENDING)).items[0]


async def edited_reply(seat: Seat, text: str) -> str:
    """A held question whose reply is written by the agent; gives the thread."""
    thread = await seat.says(UNKNOWN)
    review = await waiting_review(seat)
    await replies(seat, thread, 1)
    decision = Decision(kind=DecisionKind.EDIT, text=text)
    await seat.process.desk.decide(seat.agent, review.id, decision, based_on=review.version)
    return thread


async def test_a_question_is_answered_in_its_thread(seat: Seat) -> None:
    thread = await seat.says(KNOWN)
    assert ANSWER in (await replies(seat, thread, 1))[0]


async def test_what_is_told_twice_is_accepted_and_answered_once(seat: Seat) -> None:
    need(seat, "repeat")
    thread = await seat.says(KNOWN)
    await seat.repeats(thread)
    await replies(seat, thread, 1)
    await seat.repeats(thread)
    await seat.process.jobs.idle()
    assert len(await seat.shown(thread)) == 1
    assert [item.author for item in await said(seat)] == ["customer", "bot"]


async def test_replies_keep_the_order_of_the_questions(seat: Seat) -> None:
    thread = await seat.says(KNOWN)
    await replies(seat, thread, 1)
    await seat.says(EXPORT, thread)
    first, second = await replies(seat, thread, 2)
    assert ANSWER in first
    assert EXPORT_ANSWER in second


async def test_a_working_sign_is_shown_and_taken_away(seat: Seat) -> None:
    need(seat, "typing")
    thread = await seat.says(KNOWN)
    await replies(seat, thread, 1)

    async def is_gone() -> bool:
        return not seat.is_typing(thread)

    await until(is_gone)
    assert seat.typing_shown(thread)


async def test_a_long_reply_arrives_whole(seat: Seat) -> None:
    words = [f"word{n}" for n in range(900)]
    thread = await edited_reply(seat, " ".join(words))
    conversation = await the_conversation(seat)

    async def is_whole() -> bool:
        text = "\n".join(await seat.shown(thread)).split()
        return [word for word in text if word.startswith("word")] == words

    await until(is_whole)
    assert conversation.id


async def test_unsafe_text_calls_nobody(seat: Seat) -> None:
    thread = await edited_reply(seat, f"Look: {' '.join(seat.unsafe)} **bold** & <b>")
    text = (await replies(seat, thread, 2))[1]
    assert "Look:" in text
    assert not [unsafe for unsafe in seat.unsafe if unsafe in text]


async def test_a_rate_limit_delays_a_reply_and_loses_none(seat: Seat) -> None:
    need(seat, "limit")
    seat.limits()
    thread = await seat.says(KNOWN)
    assert ANSWER in (await replies(seat, thread, 1))[0]


async def test_a_reply_whose_answer_was_lost_is_shown_once(seat: Seat) -> None:
    need(seat, "lose")
    seat.loses()
    thread = await seat.says(KNOWN)
    await replies(seat, thread, 1)
    await seat.process.jobs.idle()
    assert len(await seat.shown(thread)) == 1


async def test_staff_who_write_in_the_thread_take_over(seat: Seat) -> None:
    need(seat, "overhear")
    thread = await seat.says(KNOWN)
    await replies(seat, thread, 1)
    await seat.staff_says(thread, "I am on it.")

    async def is_taken() -> bool:
        return (await the_conversation(seat)).status is ConversationStatus.ASSIGNED

    await until(is_taken)
    await seat.says(EXPORT, thread)

    async def is_kept() -> bool:
        return (await said(seat))[-1].text == EXPORT

    await until(is_kept)
    await seat.process.jobs.idle()
    assert len(await seat.shown(thread)) == 1
    assert ("agent", "I am on it.") in [(item.author, item.text) for item in await said(seat)]


async def test_an_edit_makes_a_waiting_draft_anew(seat: Seat) -> None:
    need(seat, "edit")
    thread = await seat.says(UNKNOWN)
    await waiting_review(seat)
    await replies(seat, thread, 1)
    await seat.edits(thread, KNOWN)
    assert ANSWER in (await replies(seat, thread, 2))[-1]
    assert not (await seat.process.store.conversations.reviews.page("demo", ReviewStatus.PENDING)).items


async def test_a_deletion_drops_a_waiting_draft(seat: Seat) -> None:
    need(seat, "delete")
    thread = await seat.says(KNOWN)
    await replies(seat, thread, 1)
    second = await seat.says(UNKNOWN, thread)
    await waiting_review(seat)
    await seat.deletes(second)

    async def is_dropped() -> bool:
        return not (await seat.process.store.conversations.reviews.page("demo", ReviewStatus.PENDING)).items

    await until(is_dropped)
    assert UNKNOWN not in [item.text for item in await said(seat)]


async def test_a_button_brings_a_person_and_another_ends_the_matter(seat: Seat) -> None:
    need(seat, "click")
    thread = await seat.says(KNOWN)
    await replies(seat, thread, 1)
    await seat.clicks(thread, "solved")

    async def is_resolved() -> bool:
        return (await the_conversation(seat)).status is ConversationStatus.RESOLVED

    await until(is_resolved)
    await seat.says(EXPORT, thread)
    await replies(seat, thread, 2)
    await seat.clicks(thread, "person")

    async def is_with_a_person() -> bool:
        return (await the_conversation(seat)).status is ConversationStatus.ASSIGNED

    await until(is_with_a_person)


async def test_a_vote_is_kept_with_its_reply(seat: Seat) -> None:
    need(seat, "click")
    thread = await seat.says(KNOWN)
    await replies(seat, thread, 1)
    await seat.clicks(thread, "vote")

    async def is_kept() -> bool:
        return [item.vote for item in await said(seat)][-1] == "up"

    await until(is_kept)
