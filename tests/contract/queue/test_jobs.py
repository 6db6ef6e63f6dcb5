"""What both queues promise: the embedded one over SQLite and Procrastinate's over PostgreSQL."""

import asyncio
import gc
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert
from structlog.contextvars import get_contextvars

from storage.clock import now
from storage.database.engine import open_database
from storage.database.tables import workspaces
from storage.queue.jobs import (
    Handlers,
    Job,
    JobKind,
    RetryAfterError,
    RunAt,
)
from storage.queue.opening import open_jobs
from storage.queue.periodic import PeriodicTask
from tests.support.job_bench import (
    Diary,
    HeldHandler,
    Rows,
    job,
)
from tests.support.settings import settings_for
from tests.support.waiting import until

HOUR = timedelta(hours=1)


@pytest.fixture
async def rows(tmp_path: Path, database_url: str) -> AsyncIterator[Rows]:
    """The rows of a desk, on each of the two databases."""
    settings = settings_for(tmp_path, database_url)
    database = open_database(settings.database_url)
    if database.is_sqlite:
        await database.upgrade()
    async with database.write() as connection:
        await connection.execute(insert(workspaces).values(id="demo", name="Demo", settings={}, created_at=now()))
    yield Rows(settings, database)
    await database.close()


async def test_a_key_runs_its_jobs_one_after_the_other_in_order(rows: Rows) -> None:
    diary = Diary()

    async def handler(item: Job) -> None:
        await asyncio.sleep(0.005)
        await diary.handler(item)

    async with rows.working(handler) as jobs:
        for number in range(5):
            await jobs.enqueue(job(str(number)))
        await jobs.idle()
    assert diary.done == ["0", "1", "2", "3", "4"]


async def test_keys_run_beside_each_other_up_to_the_bound(rows: Rows) -> None:
    diary = Diary()
    gate = HeldHandler(diary)
    running = highest = 0

    async def handler(item: Job) -> None:
        nonlocal running, highest
        running += 1
        highest = max(highest, running)
        if running == 3:
            gate.open.set()
        await gate.handler(item)
        await asyncio.sleep(0.01)
        running -= 1

    async with rows.working(handler, diary, concurrency=3) as jobs:
        for number in range(12):
            await jobs.enqueue(job(str(number), key=str(number)))
        await jobs.idle()
    assert highest == 3
    assert len(diary.done) == 12


async def test_the_same_job_that_still_waits_is_taken_once(rows: Rows) -> None:
    diary = Diary()
    async with rows.working(diary.handler) as jobs:
        for _ in range(3):
            await jobs.enqueue(job("same"), due=now() + timedelta(seconds=1))
        await jobs.idle()
    assert diary.done == ["same"]


async def test_of_two_times_for_the_same_job_the_earlier_wins(rows: Rows) -> None:
    diary = Diary()
    async with rows.working(diary.handler) as jobs:
        await jobs.enqueue(job("brought forward"), due=now() + HOUR)
        await jobs.enqueue(job("brought forward"))
        await jobs.enqueue(job("not put off"), due=now() + timedelta(seconds=0.1))
        await jobs.enqueue(job("not put off"), due=now() + HOUR)
        await jobs.idle()
    assert diary.done == ["brought forward", "not put off"]


async def test_a_job_that_is_enqueued_while_it_runs_is_run_once_more_after_it(rows: Rows) -> None:
    diary = Diary()
    gate = HeldHandler(diary)
    async with rows.working(gate.handler) as jobs:
        await jobs.enqueue(job("again"))
        await gate.begun.wait()
        await jobs.enqueue(job("again"))
        await jobs.enqueue(job("again"))
        gate.open.set()
        await jobs.idle()
    assert diary.done == ["again", "again"]


@pytest.mark.parametrize("kind", [JobKind.ANSWER, JobKind.RESUME])
async def test_a_job_that_is_not_due_lets_others_of_its_key_go_first(rows: Rows, kind: JobKind) -> None:
    diary = Diary()
    async with rows.working(diary.handler) as jobs:
        await jobs.enqueue(job("gathering"), due=now() + HOUR)
        await jobs.enqueue(job("decision", kind=kind))
        await diary.has_done("decision")
        await jobs.enqueue(job("gathering"))
        await jobs.idle()
    assert diary.done == ["decision", "gathering"]


async def test_a_due_job_waits_for_the_one_of_its_key_that_runs(rows: Rows) -> None:
    diary = Diary()
    gate = HeldHandler(diary)

    async def handler(item: Job) -> RunAt | None:
        return await (gate if item.id == "long" else diary).handler(item)

    async with rows.working(handler) as jobs:
        await jobs.enqueue(job("long"))
        await gate.begun.wait()
        await jobs.enqueue(job("gathered"), due=now() + timedelta(seconds=0.05))
        await jobs.enqueue(job("elsewhere", key="other"), due=now() + timedelta(seconds=0.2))
        await diary.has_done("elsewhere")
        gate.open.set()
        await jobs.idle()
    assert diary.done == ["elsewhere", "long", "gathered"]


async def test_a_reply_that_must_wait_does_not_hold_up_the_conversation(rows: Rows) -> None:
    diary = Diary()
    conversation = await rows.reply()

    async def handler(item: Job) -> RunAt | None:
        await diary.handler(item)
        return RunAt(now() + HOUR) if item.kind is JobKind.DELIVER else None

    async with rows.working(handler, diary) as jobs:
        await jobs.enqueue(Job(JobKind.DELIVER, conversation, conversation))
        await diary.has_done(conversation)
        await jobs.enqueue(job("answer", conversation))
        await diary.has_done("answer")


async def test_a_handler_may_ask_to_run_later_and_that_is_no_failed_try(rows: Rows) -> None:
    attempts: list[int] = []

    async def handler(item: Job) -> RunAt | None:
        attempts.append(item.attempt)
        return RunAt(now() + timedelta(seconds=0.02)) if len(attempts) < 5 else None

    async with rows.working(handler, max_attempts=2) as jobs:
        await jobs.enqueue(job("x"))
        await jobs.idle()
    assert attempts == [0] * 5


async def test_a_failing_job_is_tried_again_and_then_given_up_with_its_reason(rows: Rows) -> None:
    diary, attempts = Diary(), list[int]()

    async def handler(item: Job) -> None:
        attempts.append(item.attempt)
        raise RetryAfterError("the channel is away", 0.01)

    async with rows.working(handler, diary) as jobs:
        await jobs.enqueue(job("x"))
        await jobs.idle()
    assert attempts == [0, 1, 2]
    assert diary.given_up == [("x", "the channel is away")]


async def test_a_job_that_waits_for_its_next_try_lets_its_key_go_on(rows: Rows) -> None:
    diary = Diary()

    async def handler(item: Job) -> None:
        if item.id == "bad":
            raise RetryAfterError("ask again in an hour", 3600)
        await diary.handler(item)

    async with rows.working(handler, diary) as jobs:
        await jobs.enqueue(job("bad"))
        await jobs.enqueue(job("good"))
        await diary.has_done("good")
    assert diary.given_up == []


async def test_any_error_counts_as_a_failed_try(rows: Rows) -> None:
    diary = Diary()

    async def handler(item: Job) -> None:
        if item.id == "bad":
            raise ValueError("surprise")
        await diary.handler(item)

    async with rows.working(handler, diary, max_attempts=2) as jobs:
        await jobs.enqueue(job("bad"))
        await jobs.enqueue(job("good"))
        await jobs.idle()
    assert diary.done == ["good"]
    assert diary.given_up == [("bad", "ValueError")]


async def test_being_brought_forward_does_not_undo_failed_tries(rows: Rows) -> None:
    diary, attempts = Diary(), list[int]()

    async def handler(item: Job) -> None:
        attempts.append(item.attempt)
        raise RetryAfterError("not now", 3600)

    async with rows.working(handler, diary, max_attempts=3) as jobs:
        for tries in range(1, 4):

            async def are_made(tries: int = tries) -> bool:
                await jobs.enqueue(job("x"))
                return len(attempts) >= tries

            await until(are_made)
    assert attempts[:3] == [0, 1, 2]


async def test_a_failing_dead_letter_handler_leaves_the_queue_at_work(rows: Rows) -> None:
    diary = Diary()

    async def handler(item: Job) -> None:
        if item.id == "bad":
            raise ValueError("surprise")
        await diary.handler(item)

    async def on_dead_letter(_job: Job, _reason: str) -> None:
        raise ValueError("and another one")

    settings = rows.settings.model_copy(update={"jobs": rows.settings.jobs.model_copy(update={"max_attempts": 1})})
    async with open_jobs(settings, rows.database) as jobs:
        jobs.start(Handlers(dict.fromkeys(JobKind, handler), on_dead_letter))
        await jobs.enqueue(job("bad"))
        await jobs.enqueue(job("good"))
        await jobs.idle()
    assert diary.done == ["good"]


async def test_stopping_lets_running_jobs_end_and_what_waits_is_done_after_the_next_start(rows: Rows) -> None:
    before, after = Diary(), Diary()
    conversation = await rows.conversation()
    first, second = await rows.turn(conversation, age=HOUR), await rows.turn(conversation)
    gate = HeldHandler(before)

    async def handler(item: Job) -> RunAt | None:
        await gate.handler(item)
        await rows.answered(item.id)
        return None

    async def later_handler(item: Job) -> RunAt | None:
        # What the rows still ask for is enqueued again, so the turn ends as a real one does.
        await after.handler(item)
        await rows.answered(item.id)
        return None

    async with rows.working(handler) as jobs:
        await jobs.enqueue(job(first, conversation))
        await gate.begun.wait()
        await jobs.enqueue(job(second, conversation))
        stopping = asyncio.create_task(jobs.stop(grace_seconds=20))
        await asyncio.sleep(0.05)
        gate.open.set()
        await stopping
    assert before.done == [first]
    async with rows.working(later_handler) as jobs:
        await jobs.idle()
    assert after.done == [second]


async def test_stopping_cuts_long_jobs_off_and_they_run_again(rows: Rows) -> None:
    diary = Diary()
    document = await rows.document()
    gate = HeldHandler(diary)
    async with rows.working(gate.handler) as jobs:
        await jobs.enqueue(Job(JobKind.LOAD, document, document))
        await gate.begun.wait()
        await jobs.stop(grace_seconds=60)
    assert diary.done == []
    async with rows.working(diary.handler) as jobs:
        await jobs.idle()
    assert diary.done == [document]


async def test_what_the_grace_does_not_suffice_for_is_cut_off_and_runs_again(rows: Rows) -> None:
    diary = Diary()
    conversation = await rows.conversation()
    turn = await rows.turn(conversation)
    gate = HeldHandler(diary)
    async with rows.working(gate.handler) as jobs:
        await jobs.enqueue(job(turn, conversation))
        await gate.begun.wait()
        await jobs.stop(grace_seconds=0.05)
    assert diary.done == []

    async def answers(item: Job) -> None:
        await rows.answered(item.id)
        await diary.handler(item)

    async with rows.working(answers) as jobs:
        await jobs.idle()
    assert diary.done == [turn]


async def test_jobs_taken_before_the_start_are_done_after_it(rows: Rows) -> None:
    diary = Diary()
    async with open_jobs(rows.settings, rows.database) as jobs:
        await jobs.enqueue(job("early"))
        jobs.start(Handlers(dict.fromkeys(JobKind, diary.handler), diary.on_dead_letter))
        await jobs.idle()
    assert diary.done == ["early"]


async def test_what_was_never_enqueued_is_found_in_the_rows_at_the_start_and_later(rows: Rows) -> None:
    diary = Diary()
    conversation = await rows.conversation()
    lost = await rows.turn(conversation)

    async def handler(item: Job) -> RunAt | None:
        await rows.answered(item.id)
        return await diary.handler(item)

    async with rows.working(handler) as jobs:
        await jobs.idle()
        assert diary.done == [lost]
        lost_later = await rows.turn(conversation)
        await diary.has_done(lost_later)
        await jobs.idle()
    assert diary.done == [lost, lost_later]


async def test_looking_at_the_rows_neither_doubles_nor_hastens_what_is_known(rows: Rows) -> None:
    diary = Diary()
    conversation, other = await rows.conversation(), await rows.conversation()
    waiting, running = await rows.turn(conversation, age=HOUR), await rows.turn(other, age=HOUR)
    gate = HeldHandler(diary)
    looks = 0

    async def look() -> None:
        nonlocal looks
        looks += 1

    async def handler(item: Job) -> RunAt | None:
        if item.id == waiting:
            diary.done.append(item.id)
            return RunAt(now() + HOUR)
        return await gate.handler(item)

    async with rows.working(handler, periodic_tasks=[PeriodicTask("look", 1, look)]) as jobs:
        await jobs.enqueue(job(waiting, conversation))
        await jobs.enqueue(job(running, other))
        await gate.begun.wait()

        async def several_looks() -> bool:
            return looks >= 4

        await until(several_looks)
        await rows.answered(running)
        gate.open.set()
        # Behind what a look may have enqueued a second time.
        await jobs.enqueue(job("last", other))
        await diary.has_done(waiting, "last")
    assert sorted(diary.done) == sorted([waiting, running, "last"])


def is_held(item: object) -> bool:
    """Whether this is a job, the queue of a key, a task or a timer; the loop keeps cancelled timers for a while."""
    if isinstance(item, asyncio.TimerHandle):
        return not item.cancelled()
    return isinstance(item, Job | asyncio.Task) or str(type(item).__module__).startswith("storage.")


async def test_nothing_is_held_of_jobs_that_are_done(rows: Rows) -> None:
    diary = Diary()

    async def held_after_round(number: int) -> int:
        for name in range(40):
            await jobs.enqueue(job(f"{number} {name}", key=f"{number} {name}"), due=now() + timedelta(seconds=0.01))
        await jobs.idle()
        assert len(diary.done) == 40
        diary.done.clear()
        gc.collect()
        return sum(is_held(item) for item in gc.get_objects())

    async with rows.working(diary.handler) as jobs:
        await held_after_round(0)
        first, last = await held_after_round(1), await held_after_round(2)
    assert last - first < 20


async def test_periodic_tasks_are_done_again_and_again_and_a_failing_one_too(rows: Rows) -> None:
    done = {"good": 0, "bad": 0}

    async def good() -> None:
        done["good"] += 1

    async def bad() -> None:
        done["bad"] += 1
        raise ValueError("surprise")

    async def twice_each() -> bool:
        return min(done.values()) >= 2

    async with rows.working(
        Diary().handler, periodic_tasks=[PeriodicTask("good", 1, good), PeriodicTask("bad", 1, bad)]
    ):
        await until(twice_each)


async def test_a_queue_says_whether_it_takes_jobs(rows: Rows) -> None:
    async with open_jobs(rows.settings, rows.database) as jobs:
        assert not jobs.is_working
        jobs.start(Handlers({}, Diary().on_dead_letter))
        assert jobs.is_working
        await jobs.stop()
        assert not jobs.is_working


async def test_every_line_of_a_job_names_what_it_is_about(rows: Rows) -> None:
    bound: dict[str, dict[str, object]] = {}

    async def handler(item: Job) -> None:
        bound[item.kind] = dict(get_contextvars())

    async with rows.working(handler) as jobs:
        for kind in set(JobKind) - {JobKind.DELIVER}:
            await jobs.enqueue(Job(kind, f"{kind}-1", "key-1"))
        # Its channel decides where it waits, so that this one needs its rows.
        replied = await rows.reply()
        await jobs.enqueue(Job(JobKind.DELIVER, replied, replied))
        await jobs.idle()
    ids = {kind: {name: value for name, value in said.items() if name != "job"} for kind, said in bound.items()}
    assert {said["job"] for said in bound.values()} == set(JobKind)
    assert ids == {
        "answer": {"turn": "answer-1", "conversation": "key-1"},
        "resume": {"review": "resume-1", "conversation": "key-1"},
        "deliver": {"conversation": replied},
        "summarise": {"conversation": "summarise-1"},
        "load": {"document": "load-1"},
    }
    assert "job" not in get_contextvars()
