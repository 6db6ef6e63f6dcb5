"""Every reply once and in order at the platform, whatever goes wrong on the way; on SQLite and PostgreSQL.

`tests/acceptance/processes/test_crashes.py` adds the power cut between the platform's answer and our commit.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import get_args

import pytest
from sqlalchemy import select

from bot.channel import Channel
from bot.delivery import DeliveryJob
from bot.web.channel import WebChannel
from storage import clock
from storage.backoff import RetryPolicy
from storage.conversations.outbox import Outbox, Outgoing
from storage.database.tables import deliveries
from storage.queue.jobs import Job, JobKind
from storage.records import (
    ChannelName,
    DeliveryStatus,
    Incoming,
    Member,
    new_id,
)
from storage.store import Store
from tests.simulators.platform import (
    LATE_SECONDS,
    Fault,
    LookFault,
    Platform,
    PlatformChannel,
    running_platform,
)
from tests.support.rows import audit_trail, database_of

TEXTS = ["one", "two", "three"]
TIME_OUT = 0.4
OVERCOME = [fault for fault in get_args(Fault) if fault not in ("ok", "403", "wait for it")]
"""What every reply gets past in the end."""


@pytest.fixture
async def platform() -> AsyncIterator[Platform]:
    async with running_platform() as platform:
        yield platform


def remote(platform: Platform) -> PlatformChannel:
    return PlatformChannel(platform.url, timeout=TIME_OUT, settles_after=2 * LATE_SECONDS)


def worker(store: Store, channel: Channel, lease: float = 30.0, tries: int = 20) -> DeliveryJob:
    """What delivers in one process."""
    retries = RetryPolicy(tries, first_pause=0.001)
    return DeliveryJob(Outbox(database_of(store), lease), {channel.name: channel}, store.cluster.events, retries)


async def work(delivery: DeliveryJob, conversation_id: str) -> None:
    """Run the conversation's job as a queue does, until nothing waits any more."""
    job = Job(JobKind.DELIVER, conversation_id, conversation_id)
    while later := await delivery.deliver(job):  # noqa: ASYNC110 - plays the queue
        await asyncio.sleep((later.until - clock.now()).total_seconds())


async def written(store: Store, agent: Member, texts: Sequence[str], channel: ChannelName = "slack") -> str:
    """A conversation with these replies on their way; gives its id."""
    accepted = await store.conversations.intake.accept(
        Incoming("demo", channel, new_id(), thread="thread", customer_external_id="cleo", text="Hello?")
    )
    await store.conversations.actions.take_over(agent, accepted.conversation_id)
    for text in texts:
        await store.conversations.actions.reply(agent, accepted.conversation_id, text)
    return accepted.conversation_id


async def outcomes(store: Store, conversation_id: str) -> list[str]:
    query = select(deliveries.c.status).where(deliveries.c.conversation_id == conversation_id)
    async with database_of(store).read() as connection:
        return list((await connection.execute(query.order_by(deliveries.c.seq))).scalars())


def shown(platform: Platform) -> list[str]:
    return [post.text for post in platform.posts]


async def test_no_fault_loses_or_doubles_or_reorders_a_reply(store: Store, agent: Member, platform: Platform) -> None:
    texts = [f"{fault}, then {word}" for fault in OVERCOME for word in ("another try", "the next reply")]
    conversation_id = await written(store, agent, texts)
    for fault in OVERCOME:
        platform.faults.extend([fault] if _is_posted(fault) else [fault, "ok"])
        platform.faults.append("ok")
    await work(worker(store, remote(platform)), conversation_id)
    assert shown(platform) == texts
    assert await outcomes(store, conversation_id) == [DeliveryStatus.SENT] * len(texts)


def _is_posted(fault: Fault) -> bool:
    return fault in ("lose the answer", "drop after posting", "post late")


async def test_faults_one_after_the_other_neither_lose_nor_double_replies(
    store: Store, agent: Member, platform: Platform
) -> None:
    chance = random.Random(7)  # noqa: S311 - the same at every run
    texts = [str(number) for number in range(8)]
    conversation_id = await written(store, agent, texts)
    platform.faults.extend(chance.choices(OVERCOME, k=24))
    platform.look_faults.extend(chance.choices(get_args(LookFault), k=6))
    await work(worker(store, remote(platform)), conversation_id)
    assert shown(platform) == texts


async def test_a_reply_that_cannot_be_looked_up_is_not_sent_on_a_guess(
    store: Store, agent: Member, platform: Platform
) -> None:
    conversation_id = await written(store, agent, TEXTS)
    platform.faults.append("lose the answer")
    platform.look_faults.extend(get_args(LookFault))
    await work(worker(store, remote(platform)), conversation_id)
    assert shown(platform) == TEXTS
    assert not platform.look_faults


async def test_a_reply_that_can_never_be_looked_up_is_marked_and_lets_the_next_ones_go(
    store: Store, agent: Member, platform: Platform
) -> None:
    conversation_id = await written(store, agent, TEXTS)
    platform.faults.append("drop after posting")
    platform.look_faults.extend(["503"] * 2)
    await work(worker(store, remote(platform), tries=3), conversation_id)
    assert shown(platform) == TEXTS
    assert await outcomes(store, conversation_id) == ["failed", "sent", "sent"]
    events = await audit_trail(store, "demo", conversation_id)
    assert [event.data["error"] for event in events if event.kind == "delivery.failed"] == ["the platform answered 503"]


async def test_a_reply_that_the_platform_shows_twice_is_not_sent_a_third_time(
    store: Store, agent: Member, platform: Platform
) -> None:
    conversation_id = await written(store, agent, TEXTS)
    outgoing = await next_of(store, conversation_id)
    assert await Outbox(database_of(store), lease_seconds=0.0).begin(outgoing)
    for _ in range(2):
        await PlatformChannel(platform.url).send(outgoing)
    await work(worker(store, remote(platform)), conversation_id)
    assert shown(platform) == ["one", *TEXTS]


async def test_a_refused_reply_is_marked_at_once_and_lets_the_next_ones_go(
    store: Store, agent: Member, platform: Platform
) -> None:
    conversation_id = await written(store, agent, TEXTS)
    platform.faults.append("403")
    await work(worker(store, remote(platform)), conversation_id)
    assert shown(platform) == ["two", "three"]
    assert await outcomes(store, conversation_id) == ["failed", "sent", "sent"]


async def test_each_reply_has_all_its_tries_however_many_the_one_before_took(
    store: Store, agent: Member, platform: Platform
) -> None:
    conversation_id = await written(store, agent, TEXTS)
    platform.faults.extend(["503", "503", "ok"] * 3)
    await work(worker(store, remote(platform), tries=3), conversation_id)
    assert shown(platform) == TEXTS


async def test_two_workers_that_deliver_the_same_conversation_send_each_reply_once(
    store: Store, agent: Member, platform: Platform
) -> None:
    texts = [str(number) for number in range(12)]
    conversation_id = await written(store, agent, texts)
    platform.faults.extend(["ok", "lose the answer", "503"] * 4)
    workers = [worker(store, PlatformChannel(platform.url), lease=1.0) for _ in range(2)]
    await asyncio.gather(*(work(delivery, conversation_id) for delivery in workers for _ in range(2)))
    assert shown(platform) == texts


async def test_a_slow_send_keeps_its_reply_for_as_long_as_it_takes(
    store: Store, agent: Member, platform: Platform
) -> None:
    conversation_id = await written(store, agent, TEXTS)
    platform.faults.append("wait for it")
    first = worker(store, PlatformChannel(platform.url, timeout=60), lease=0.5)
    sending = asyncio.create_task(work(first, conversation_id))
    await platform.posting.wait()
    begun = await next_of(store, conversation_id)
    async with asyncio.timeout(60):
        while (await next_of(store, conversation_id)).not_before <= begun.not_before:  # noqa: ASYNC110 - looks at rows
            await asyncio.sleep(0.05)
    second = asyncio.create_task(work(worker(store, PlatformChannel(platform.url), lease=0.5), conversation_id))
    await until_past(begun.not_before)
    platform.go_on.set()
    await asyncio.gather(sending, second)
    assert shown(platform) == TEXTS


async def test_the_try_of_a_worker_that_died_is_taken_over_when_its_lease_ends(
    store: Store, agent: Member, platform: Platform
) -> None:
    conversation_id = await written(store, agent, TEXTS)
    dead, outgoing = Outbox(database_of(store), lease_seconds=0.2), await next_of(store, conversation_id)
    assert await dead.begin(outgoing)
    await PlatformChannel(platform.url).send(outgoing)
    await work(worker(store, remote(platform)), conversation_id)
    assert shown(platform) == TEXTS


async def test_a_try_is_taken_by_one_of_many_workers(store: Store, agent: Member) -> None:
    outgoing = await next_of(store, await written(store, agent, TEXTS))
    taken = await asyncio.gather(*(store.conversations.outbox.begin(outgoing) for _ in range(8)))
    assert sorted(taken) == [False] * 7 + [True]


async def test_a_worker_that_lost_its_try_does_not_free_it_for_a_third_one(store: Store, agent: Member) -> None:
    conversation_id = await written(store, agent, TEXTS)
    slow, outgoing = Outbox(database_of(store), lease_seconds=0.0), await next_of(store, conversation_id)
    assert await slow.begin(outgoing)
    assert await store.conversations.outbox.begin(await next_of(store, conversation_id))
    await slow.retry(outgoing.begun(), clock.now(), "too late")
    assert (await next_of(store, conversation_id)).not_before > clock.now()


async def test_on_the_web_two_workers_show_each_reply_once(store: Store, agent: Member) -> None:
    conversation_id = await written(store, agent, TEXTS, channel="web")
    workers = [worker(store, WebChannel(store.cluster.events)) for _ in range(2)]
    await asyncio.gather(*(work(delivery, conversation_id) for delivery in workers))
    seen = [message.text for message in await store.conversations.messages.of_conversation("demo", conversation_id)]
    assert seen == ["Hello?", *TEXTS]
    assert await outcomes(store, conversation_id) == [DeliveryStatus.SENT] * 3


async def next_of(store: Store, conversation_id: str) -> Outgoing:
    outgoing = await store.conversations.outbox.next(conversation_id)
    assert outgoing
    return outgoing


async def until_past(moment: datetime) -> None:
    await asyncio.sleep(max((moment - clock.now()).total_seconds(), 0) + 0.05)
