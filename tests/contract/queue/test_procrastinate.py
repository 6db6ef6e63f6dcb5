"""What only the queue of many processes has: dead workers, cut connections, queues per channel, one clock for all."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import insert, make_url, text

from storage.clock import now
from storage.database.engine import open_database
from storage.database.tables import workspaces
from storage.errors import SchemaError
from storage.queue.jobs import (
    Handler,
    Handlers,
    Job,
    JobKind,
    Queue,
    RunAt,
)
from storage.queue.periodic import PeriodicTask
from storage.queue.procrastinate.jobs import ProcrastinateJobs
from tests.support.job_bench import (
    QUICK,
    Diary,
    HeldHandler,
    Rows,
    job,
)
from tests.support.settings import settings_for
from tests.support.waiting import until

BOTH = frozenset({Queue.DESK, Queue.DELIVER_WEB})


@pytest.fixture
async def shared(tmp_path: Path, new_postgres_url: str) -> AsyncIterator[Rows]:
    """The rows of a desk on PostgreSQL."""
    settings = settings_for(tmp_path, new_postgres_url)
    database = open_database(settings.database_url)
    async with database.write() as connection:
        await connection.execute(insert(workspaces).values(id="demo", name="Demo", settings={}, created_at=now()))
    yield Rows(settings, database)
    await database.close()


async def ask(rows: Rows, statement: str, **values: Any) -> list[Any]:
    """What a statement on the queue's own tables gives."""
    async with rows.database.write() as connection:
        result = await connection.execute(text(statement), values)
        return [row[0] for row in result] if result.returns_rows else []


async def test_the_job_of_a_killed_worker_is_done_by_another(shared: Rows) -> None:
    diary = Diary()
    async with shared.working(diary.handler, queues=()) as jobs:
        await jobs.enqueue(job("begun"))
    url = shared.settings.database.url
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.contract.queue.dying_worker", url, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    assert await process.stdout.readline() == b"begun\n"
    process.kill()
    await process.wait()
    attempts: list[int] = []

    async def handler(item: Job) -> RunAt | None:
        attempts.append(item.attempt)
        return await diary.handler(item)

    async with shared.working(handler, silent_seconds=0.8):
        await diary.has_done("begun")
    assert attempts == [1]


async def test_a_job_that_takes_every_worker_down_comes_to_an_end(shared: Rows) -> None:
    diary = Diary()
    async with shared.working(diary.handler, diary, silent_seconds=0.4) as jobs:
        await abandon(shared, "deadly", attempt=2)

        async def is_given_up() -> bool:
            return bool(diary.given_up)

        await until(is_given_up)
        await jobs.idle()
    assert diary.given_up == [("deadly", "its worker died")]
    assert diary.done == []


async def test_a_job_that_was_fetched_for_nobody_is_missed_by_its_worker(shared: Rows) -> None:
    diary = Diary()
    async with shared.working(diary.handler, silent_seconds=0.4):

        async def is_at_work() -> list[Any]:
            return await ask(shared, "SELECT id FROM procrastinate_workers ORDER BY id DESC LIMIT 1")

        (worker,) = await until(is_at_work)
        await abandon(shared, "fetched", worker=worker)
        await diary.has_done("fetched")


async def abandon(rows: Rows, name: str, attempt: int = 0, worker: int | None = None) -> None:
    """A row that says that the job runs, although nobody runs it."""
    statement = """
        INSERT INTO procrastinate_jobs (queue_name, task_name, lock, queueing_lock, status, worker_id, args)
        VALUES ('desk', 'job', 'key', :queueing_lock, 'doing', :worker, jsonb_build_object(
            'kind', 'answer', 'id', cast(:name as text), 'key', 'key', 'attempt', cast(:attempt as int)
        ))
    """
    values = {"name": name, "attempt": attempt, "worker": worker, "queueing_lock": f"answer {name}"}
    await ask(rows, statement, **values)


async def test_cut_connections_end_neither_the_worker_nor_its_jobs(shared: Rows) -> None:
    diary = Diary()
    gate = HeldHandler(diary)
    async with shared.working(gate.handler, silent_seconds=2) as jobs:
        for number in range(3):
            await jobs.enqueue(job(f"running {number}", key=f"key {number}"))
        await gate.begun.wait()
        with outside(shared) as connection:
            for _ in range(3):
                cut_all(connection, shared)
                await asyncio.sleep(0.1)
        gate.open.set()
        await diary.has_done("running 0", "running 1", "running 2")
        await jobs.enqueue(job("afterwards"))
        await diary.has_done("afterwards")
        await jobs.idle()


async def test_a_database_that_is_away_for_longer_than_a_statement_is_retried_ends_no_worker(shared: Rows) -> None:
    diary = Diary()
    gate = HeldHandler(diary)
    async with open_queue(shared, max_outage_seconds=0.3, silent_seconds=1) as jobs:
        jobs.start(Handlers(dict.fromkeys(JobKind, gate.handler), diary.on_dead_letter))
        await jobs.enqueue(job("running"))
        await gate.begun.wait()
        with outside(shared) as connection:
            connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name_of(shared)))
            cut_all(connection, shared)
            gate.open.set()
            await diary.has_done("running")
            # Longer than the end of the job is tried to be written down.
            await asyncio.sleep(1)
            connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name_of(shared)))
        await jobs.enqueue(job("afterwards"))
        await diary.has_done("afterwards")
        await jobs.idle()


@asynccontextmanager
async def open_queue(rows: Rows, max_outage_seconds: float = 10, **settings: Any) -> AsyncIterator[ProcrastinateJobs]:
    """The queue as a process sees it that only enqueues, until it is started."""
    changed = rows.settings.jobs.model_copy(update=QUICK | settings)
    jobs = ProcrastinateJobs(rows.database, changed, max_outage_seconds)
    await jobs.open()
    try:
        yield jobs
    finally:
        await jobs.stop()
        await jobs.close()


def outside(rows: Rows) -> psycopg.Connection[Any]:
    """A connection to the same server's own database."""
    url = make_url(rows.database.conninfo).set(database="postgres")
    return psycopg.connect(url.render_as_string(hide_password=False), autocommit=True)


def cut_all(connection: psycopg.Connection[Any], rows: Rows) -> None:
    """Cut every connection to the desk's database."""
    statement = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
    connection.execute(statement, [make_url(rows.database.url).database])


def name_of(rows: Rows) -> sql.Identifier:
    """The desk's database."""
    return sql.Identifier(str(make_url(rows.database.url).database))


async def test_deliveries_wait_for_who_holds_their_channel(shared: Rows) -> None:
    desk, bot = Diary(), Diary()
    slack, web = await shared.reply("slack"), await shared.reply("web")

    def delivering(diary: Diary) -> Handler:
        async def handler(item: Job) -> RunAt | None:
            await shared.delivered(item.id)
            return await diary.handler(item)

        return handler

    async with shared.working(delivering(desk), queues=BOTH) as jobs:
        for conversation in (slack, web):
            await jobs.enqueue(Job(JobKind.DELIVER, conversation, conversation))
        await jobs.enqueue(job("turn"))
        await jobs.idle()
        assert set(desk.done) == {web, "turn"}
        async with shared.working(delivering(bot), queues=[Queue.DELIVER_SLACK, Queue.DELIVER_DISCORD]) as elsewhere:
            await elsewhere.idle()
    assert bot.done == [slack]


async def test_a_conversation_without_a_reply_to_deliver_makes_no_job(shared: Rows) -> None:
    diary = Diary()
    conversation = await shared.conversation()
    async with shared.working(diary.handler) as jobs:
        await jobs.enqueue(Job(JobKind.DELIVER, conversation, conversation))
        await jobs.idle()
    assert diary.done == []


async def test_two_workers_keep_the_order_of_every_key_and_do_each_job_once(shared: Rows) -> None:
    diary = Diary()
    running: set[str] = set()
    doubled: list[str] = []

    async def handler(item: Job) -> RunAt | None:
        if item.key in running:
            doubled.append(item.key)
        running.add(item.key)
        await asyncio.sleep(0.002)
        running.discard(item.key)
        return await diary.handler(item)

    names = [f"{key} {number}" for number in range(12) for key in range(4)]
    async with shared.working(handler) as one, shared.working(handler) as two:
        for index, name in enumerate(names):
            key = f"key {index % 4}"
            # Some take their key when their time has come, while others are fetched with it.
            due = None if index % 3 else now() + timedelta(seconds=0.03)
            await (one, two)[index % 2].enqueue(job(name, key), due=due)
        await one.idle()
    assert doubled == []
    assert sorted(diary.done) == sorted(names)


async def test_workers_that_come_and_go_lose_and_double_nothing(shared: Rows) -> None:
    diary = Diary()
    enough = asyncio.Event()

    async def handler(item: Job) -> RunAt | None:
        await asyncio.sleep(0.02)
        return await diary.handler(item)

    async def come_and_go() -> None:
        while not enough.is_set():
            async with shared.working(handler, reconcile_seconds=1000):
                await asyncio.sleep(0.3)

    names = [f"{number}" for number in range(60)]
    async with open_queue(shared) as jobs, asyncio.TaskGroup() as group:
        group.create_task(come_and_go())
        group.create_task(come_and_go())
        for index, name in enumerate(names):
            due = now() + timedelta(seconds=0.05) if index % 2 else None
            await jobs.enqueue(job(name, f"key {index % 5}"), due=due)
            await asyncio.sleep(0.02)
        await diary.has_done(*names)
        enough.set()
    assert sorted(diary.done) == sorted(names)


async def test_a_periodic_task_is_done_once_over_all_workers(shared: Rows) -> None:
    times: list[int] = []

    async def tick() -> None:
        running = "SELECT (args->>'timestamp')::bigint FROM procrastinate_jobs WHERE task_name = 'periodic tick'"
        times.extend(await ask(shared, f"{running} AND status = 'doing'"))

    async def some() -> bool:
        return len(times) >= 3

    periodic_tasks = [PeriodicTask("tick", 1, tick)]
    handler = Diary().handler
    async with (
        shared.working(handler, periodic_tasks=periodic_tasks),
        shared.working(handler, periodic_tasks=periodic_tasks),
    ):
        await until(some)
    assert len(times) == len(set(times))


async def test_done_jobs_leave_no_rows_and_given_up_ones_stay_for_some_days(shared: Rows) -> None:
    diary = Diary()

    async def handler(item: Job) -> RunAt | None:
        if item.id == "bad":
            raise ValueError("surprise")
        return await diary.handler(item)

    async with shared.working(handler, max_attempts=1) as jobs:
        assert isinstance(jobs, ProcrastinateJobs)
        await jobs.enqueue(job("good"))
        await jobs.enqueue(job("bad"))
        await jobs.idle()

        async def left() -> list[Any]:
            return await ask(shared, "SELECT status FROM procrastinate_jobs WHERE task_name = 'job'")

        async def only_the_failed_one() -> bool:
            return await left() == ["failed"]

        await until(only_the_failed_one)
        await jobs.prune()
        assert await left() == ["failed"]
        await ask(shared, "UPDATE procrastinate_events SET at = at - interval '8 days'")
        await jobs.prune()
        assert await left() == []


async def test_loads_do_not_keep_turns_waiting(shared: Rows) -> None:
    diary = Diary()
    gate = HeldHandler(diary)

    async def handler(item: Job) -> RunAt | None:
        return await (gate if item.kind is JobKind.LOAD else diary).handler(item)

    async with shared.working(handler, concurrency=2) as jobs:
        for number in range(4):
            await jobs.enqueue(job(f"load {number}", key=f"document {number}", kind=JobKind.LOAD))
        await gate.begun.wait()
        await jobs.enqueue(job("turn"))
        await diary.has_done("turn")
        gate.open.set()
        await jobs.idle()
    assert len(diary.done) == 5


async def test_a_job_that_cannot_be_enqueued_is_left_to_its_rows(shared: Rows) -> None:
    diary = Diary()
    turn = await shared.turn(await shared.conversation())
    async with open_queue(shared) as jobs:
        await ask(shared, "ALTER TABLE procrastinate_jobs RENAME TO away")
        await jobs.enqueue(job(turn))
        await ask(shared, "ALTER TABLE away RENAME TO procrastinate_jobs")
    async with shared.working(diary.handler):
        await diary.has_done(turn)


async def test_workers_hear_that_a_key_is_free(shared: Rows) -> None:
    await abandon(shared, "running")
    url = shared.database.conninfo
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as ear, open_queue(shared) as jobs:
        await jobs.enqueue(job("behind it"))
        await ear.execute('LISTEN "procrastinate_queue_v1#desk"')
        await ask(shared, "DELETE FROM procrastinate_jobs WHERE status = 'doing'")
        heard = [notice async for notice in ear.notifies(timeout=30, stop_after=1)]
    assert len(heard) == 1


async def test_a_later_version_of_the_queues_tables_is_asked_for_and_made(shared: Rows) -> None:
    await shared.database.check_schema()
    await ask(shared, "DROP INDEX deskhand_jobs_lock_idx")
    await ask(shared, "DELETE FROM procrastinate_migrations WHERE name = 'deskhand.01_lock_index'")
    with pytest.raises(SchemaError, match="deskhand db upgrade"):
        await shared.database.check_schema()
    await shared.database.upgrade()
    await shared.database.check_schema()
    found = await ask(shared, "SELECT indexname FROM pg_indexes WHERE indexname = 'deskhand_jobs_lock_idx'")
    assert found == ["deskhand_jobs_lock_idx"]
