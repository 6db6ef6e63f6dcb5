"""What must hold when people, customers and workers act at the same moment, on SQLite and PostgreSQL."""

import asyncio
from collections.abc import Awaitable, Collection

import pytest

from graph.checkpoints.checkpointer import InterruptCheckpointer
from storage.conversations.outbox import Outbox
from storage.errors import AlreadyDecidedError, StaleError
from storage.knowledge.search import Knowledge
from storage.knowledge.vectors import open_vectors
from storage.queue.jobs import Job, JobKind
from storage.records import (
    Author,
    ConversationStatus,
    Decision,
    DecisionKind,
    Hit,
    Review,
    ReviewStatus,
)
from tests.support.rows import database_of
from tests.support.stepping import PowerCut
from tests.support.workers import (
    EXPORT,
    KNOWN,
    RISKY,
    Desks,
    Worker,
    incoming,
)

APPROVE = Decision(kind=DecisionKind.APPROVE)
REJECT = Decision(kind=DecisionKind.REJECT, guidance="Tell them how to export their data")
RESET_ANSWER = "Click **Forgot password** on the login page and follow the link in the e-mail."
EXPORT_ANSWER = "Open **Settings > Export** and choose CSV."


class SlowKnowledge(Knowledge):
    """Answers when it is told to, with what another question would find."""

    asked: asyncio.Event
    go_on: asyncio.Event
    instead = ""

    async def search(
        self, workspace_id: str, query: str, limit: int = 5, exclude: Collection[str] = frozenset()
    ) -> tuple[Hit, ...]:
        self.asked.set()
        await self.go_on.wait()
        return await super().search(workspace_id, self.instead or query, limit, exclude)


def slow_knowledge(desks: Desks, instead: str = "") -> SlowKnowledge:
    embedder = desks.store.knowledge.index.embedder
    knowledge = SlowKnowledge(database_of(desks.store), embedder, open_vectors(desks.settings, embedder.model))
    knowledge.asked, knowledge.go_on, knowledge.instead = asyncio.Event(), asyncio.Event(), instead
    return knowledge


async def held(desks: Desks, worker: Worker, text: str = RISKY) -> Review:
    """A question that waits for a person."""
    await worker.intake.accept(incoming(text))
    await worker.drain()
    (review,) = await desks.pending()
    return review


async def decide(worker: Worker, desks: Desks, review: Review, decision: Decision, agent: int = 0) -> Review:
    return await worker.desk.decide(desks.agents[agent], review.id, decision, based_on=review.version)


async def asked(worker: Worker, text: str) -> tuple[str, Job]:
    """A question whose turn waits for a worker: its conversation and its job."""
    accepted = await worker.intake.accept(incoming(text))
    return accepted.conversation_id, worker.take(JobKind.ANSWER)


async def outcome(attempt: Awaitable[Review]) -> Review | AlreadyDecidedError | StaleError:
    try:
        return await attempt
    except (AlreadyDecidedError, StaleError) as error:
        return error


async def test_of_fifty_agents_who_decide_at_once_one_wins_and_the_others_learn_who(desks: Desks) -> None:
    workers = [desks.worker() for _ in range(2)]
    review = await held(desks, workers[0])
    posted = len(desks.board.posts)

    async def answer(number: int) -> Review | AlreadyDecidedError | StaleError:
        decision = Decision(kind=DecisionKind.EDIT, text=f"Reply {number}")
        return await outcome(decide(workers[number % 2], desks, review, decision, agent=number % 3))

    results = await asyncio.gather(*(answer(number) for number in range(50)))
    (won,) = [result for result in results if isinstance(result, Review)]
    late = [result for result in results if isinstance(result, AlreadyDecidedError)]
    assert won.decision
    assert {error.detail for error in late} == {f"Already handled by {won.decision.member_name}: edit."}
    assert len(late) == 49
    await asyncio.gather(*(worker.drain() for worker in workers))
    assert desks.board.texts[posted:] == [won.decision.text]


async def test_a_message_that_races_an_approval_makes_it_stale_or_gets_an_answer_of_its_own(desks: Desks) -> None:
    for number in range(12):
        worker, thread = desks.worker(), f"thread {number}"
        accepted = await worker.intake.accept(incoming(RISKY, thread=thread))
        await worker.drain()
        (review,) = await desks.pending()
        posted = len(desks.board.posts)
        acts = [
            outcome(decide(worker, desks, review, APPROVE)),
            worker.intake.accept(incoming(EXPORT, thread=thread)),
        ]
        result = (await asyncio.gather(*acts[:: -1 if number % 2 else 1]))[-1 if number % 2 else 0]
        await worker.drain()
        if isinstance(result, StaleError):
            assert result.new_text == EXPORT
            (again,) = await desks.pending()
            assert again.question == f"{RISKY}\n{EXPORT}"
            assert desks.board.texts[posted:] == []
            await decide(worker, desks, again, APPROVE)
            await worker.drain()
            assert desks.board.texts[posted:] == [again.draft.text]
        else:
            assert isinstance(result, Review)
            assert desks.board.texts[posted:] == [review.draft.text, EXPORT_ANSWER]
        conversation = await desks.store.conversations.reading.read("demo", accepted.conversation_id)
        assert conversation.status is ConversationStatus.OPEN


async def test_a_take_over_that_races_an_approval_leaves_the_conversation_to_the_person(desks: Desks) -> None:
    worker = desks.worker()
    review = await held(desks, worker)
    posted = len(desks.board.posts)
    await asyncio.gather(
        outcome(decide(worker, desks, review, APPROVE)),
        worker.desk.take_over(desks.agents[1], review.conversation_id),
    )
    await worker.drain()
    assert desks.board.texts[posted:] == []
    conversation = await desks.store.conversations.reading.read("demo", review.conversation_id)
    assert conversation.assignee_id == desks.agents[1].id


async def test_a_take_over_in_the_middle_of_a_turn_silences_it(desks: Desks) -> None:
    knowledge = slow_knowledge(desks)
    worker = desks.worker(knowledge=knowledge)
    conversation_id, job = await asked(worker, KNOWN)
    running = asyncio.create_task(worker.run(job))
    await knowledge.asked.wait()
    await worker.desk.take_over(desks.agents[0], conversation_id)
    knowledge.go_on.set()
    await running
    await worker.drain()
    assert desks.board.texts == []
    assert [message.author for message in await desks.said(conversation_id)] == [Author.CUSTOMER]


async def test_a_turn_that_two_workers_run_at_once_gives_one_reply(desks: Desks) -> None:
    workers = [desks.worker() for _ in range(3)]
    conversation_id, job = await asked(workers[0], KNOWN)
    await asyncio.gather(*(worker.run(job) for worker in workers))
    await asyncio.gather(*(worker.drain() for worker in workers))
    assert [message.author for message in await desks.said(conversation_id)] == [Author.CUSTOMER, Author.BOT]
    assert desks.board.texts == [RESET_ANSWER]


async def test_what_an_agent_approves_is_what_they_saw_though_another_worker_drafted_something_else(
    desks: Desks,
) -> None:
    knowledge = slow_knowledge(desks, instead=EXPORT)
    slow, quick = desks.worker(knowledge=knowledge), desks.worker()
    _, job = await asked(quick, RISKY)
    running = asyncio.create_task(slow.run(job))
    await knowledge.asked.wait()
    await quick.run(job)
    (review,) = await desks.pending()
    knowledge.go_on.set()
    await running
    assert [item.id for item in await desks.pending()] == [review.id]
    await decide(quick, desks, review, APPROVE)
    await quick.drain()
    assert desks.board.texts[1:] == [review.draft.text]
    assert EXPORT_ANSWER not in review.draft.text
    assert await desks.checkpoints() == 0


async def test_a_worker_that_comes_late_to_a_decided_turn_sends_nothing_of_its_own(desks: Desks) -> None:
    knowledge = slow_knowledge(desks, instead=EXPORT)
    slow, quick = desks.worker(knowledge=knowledge), desks.worker()
    _, job = await asked(quick, RISKY)
    running = asyncio.create_task(slow.run(job))
    await knowledge.asked.wait()
    await quick.run(job)
    (review,) = await desks.pending()
    await decide(quick, desks, review, Decision(kind=DecisionKind.EDIT, text="A person's reply."))
    knowledge.go_on.set()
    await running
    await quick.drain()
    assert desks.board.texts[1:] == ["A person's reply."]


async def test_a_decision_that_two_workers_carry_out_takes_effect_once(desks: Desks) -> None:
    workers = [desks.worker() for _ in range(3)]
    review = await held(desks, workers[0])
    await decide(workers[0], desks, review, APPROVE)
    job = workers[0].take(JobKind.RESUME)
    await asyncio.gather(*(worker.run(job) for worker in workers))
    await asyncio.gather(*(worker.drain() for worker in workers))
    assert desks.board.texts[1:] == [review.draft.text]


async def test_a_rejection_that_two_workers_carry_out_makes_one_redraft(desks: Desks) -> None:
    knowledge = slow_knowledge(desks)
    slow, quick = desks.worker(knowledge=knowledge), desks.worker()
    first = await held(desks, quick)
    await decide(quick, desks, first, REJECT)
    job = quick.take(JobKind.RESUME)
    running = asyncio.create_task(slow.run(job))
    await knowledge.asked.wait()
    await quick.run(job)
    (second,) = await desks.pending()
    await decide(quick, desks, second, REJECT)
    knowledge.go_on.set()
    await running
    await slow.run(job)
    assert await desks.pending() == []
    await quick.drain()
    (third,) = await desks.pending()
    assert third.version == 3
    await decide(quick, desks, third, Decision(kind=DecisionKind.DISMISS))
    await quick.drain()
    assert await desks.checkpoints() == 0


async def test_a_message_that_the_platform_tells_twice_at_the_same_moment_is_kept_once(desks: Desks) -> None:
    workers = [desks.worker() for _ in range(2)]
    told = [incoming(KNOWN, "event-1", thread) for thread in ("thread", "thread", "another thread")] * 3
    accepted = await asyncio.gather(*(workers[n % 2].intake.accept(item) for n, item in enumerate(told)))
    assert len({item.message_id for item in accepted}) == 1
    assert sum(not item.repeated for item in accepted) == 1
    await asyncio.gather(*(worker.drain() for worker in workers))
    assert desks.board.texts == [RESET_ANSWER]


async def test_a_reply_that_a_take_over_stopped_on_its_way_is_made_anew_after_the_hand_back(desks: Desks) -> None:
    worker = desks.worker()
    conversation_id, job = await asked(worker, KNOWN)
    await worker.run(job)
    await worker.desk.take_over(desks.agents[0], conversation_id)
    await worker.drain()
    assert desks.board.texts == []
    await worker.desk.hand_back(desks.agents[0], conversation_id)
    await worker.drain()
    assert desks.board.texts == [RESET_ANSWER]


async def test_a_reply_that_a_take_over_stopped_stays_answered_if_the_person_has_written(desks: Desks) -> None:
    worker = desks.worker()
    conversation_id, job = await asked(worker, KNOWN)
    await worker.run(job)
    await worker.desk.take_over(desks.agents[0], conversation_id)
    await worker.desk.reply(desks.agents[0], conversation_id, "I am on it.")
    await worker.drain()
    await worker.desk.hand_back(desks.agents[0], conversation_id)
    await worker.drain()
    assert desks.board.texts == ["I am on it."]


async def test_a_reply_is_not_begun_after_a_take_over_that_came_while_it_was_looked_at(desks: Desks) -> None:
    worker = desks.worker()
    conversation_id, job = await asked(worker, KNOWN)
    await worker.run(job)
    outbox = Outbox(database_of(desks.store))
    outgoing = await outbox.next(conversation_id)
    assert outgoing
    await worker.desk.take_over(desks.agents[0], conversation_id)
    assert not await outbox.begin(outgoing)


@pytest.mark.parametrize("end", ["resolve", "close"])
@pytest.mark.parametrize("decision", [Decision(kind=DecisionKind.DISMISS), REJECT])
async def test_what_was_decided_before_the_end_of_a_conversation_does_not_open_it_again(
    desks: Desks, decision: Decision, end: str
) -> None:
    worker = desks.worker()
    review = await held(desks, worker)
    await decide(worker, desks, review, decision)
    act = worker.desk.resolve if end == "resolve" else worker.desk.close
    await act("demo", review.conversation_id, desks.agents[0])
    await worker.drain()
    conversation = await desks.store.conversations.reading.read("demo", review.conversation_id)
    assert conversation.status == ("resolved" if end == "resolve" else "closed")
    assert await desks.pending() == []
    assert await desks.checkpoints() == 0


async def test_an_approval_that_takes_effect_late_does_not_bring_settled_words_back(desks: Desks) -> None:
    worker = desks.worker()
    review = await held(desks, worker)
    await decide(worker, desks, review, APPROVE)
    await worker.intake.accept(incoming("never mind the rest"))
    await worker.desk.resolve("demo", review.conversation_id, desks.agents[0])
    await worker.drain()
    await worker.intake.accept(incoming(EXPORT))
    await worker.drain()
    assert desks.board.texts[-1] == EXPORT_ANSWER


async def test_a_customer_who_never_stops_writing_gets_answers_to_everything(desks: Desks) -> None:
    knowledge = slow_knowledge(desks)
    worker = desks.worker(knowledge=knowledge)
    conversation_id, job = await asked(worker, KNOWN)
    for number in range(4):
        knowledge.asked.clear()
        knowledge.go_on.clear()
        running = asyncio.create_task(worker.run(job))
        await knowledge.asked.wait()
        await worker.intake.accept(incoming(EXPORT if number == 3 else KNOWN))
        knowledge.go_on.set()
        await running
    await worker.drain()
    assert desks.board.texts == [RESET_ANSWER, EXPORT_ANSWER]
    assert (await desks.store.conversations.reading.read("demo", conversation_id)).status is ConversationStatus.OPEN


class CutOff(InterruptCheckpointer):
    """The power goes between the checkpoint and the review."""

    async def persist(self, turn_id: str) -> str:
        await super().persist(turn_id)
        raise PowerCut


async def test_a_checkpoint_that_a_crash_left_without_its_review_is_forgotten(desks: Desks) -> None:
    worker = desks.worker(checkpoints=CutOff(desks.durable))
    conversation_id, job = await asked(worker, RISKY)
    with pytest.raises(PowerCut):
        await worker.run(job)
    assert await desks.checkpoints() == 1
    again = desks.worker()
    await again.desk.resolve("demo", conversation_id)
    await again.runner.sweep()
    assert await desks.checkpoints() == 0


async def test_a_superseded_review_is_never_pending_again(desks: Desks) -> None:
    worker = desks.worker()
    review = await held(desks, worker)
    await worker.intake.accept(incoming("and I want it today, refund me"))
    await worker.drain()
    stale = await outcome(decide(worker, desks, review, APPROVE))
    assert isinstance(stale, StaleError)
    assert (await desks.store.conversations.reviews.read("demo", review.id)).status is ReviewStatus.SUPERSEDED
