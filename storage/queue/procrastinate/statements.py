"""Statements on Procrastinate's table of jobs that its own interface lacks."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from procrastinate import BaseConnector, exceptions

TASK = "job"
"""The name of the one task that does every job of the desk, whatever its kind."""

BRING_FORWARD = """
    WITH waiting AS (
        SELECT id, queue_name, scheduled_at > coalesce(%(due)s, now()) AS is_later FROM procrastinate_jobs
        WHERE queueing_lock = %(queueing_lock)s AND status = 'todo' FOR UPDATE
    ), brought AS (
        UPDATE procrastinate_jobs SET
            scheduled_at = CASE WHEN waiting.is_later THEN %(due)s ELSE procrastinate_jobs.scheduled_at END,
            args = jsonb_set(args, '{attempt}', to_jsonb(greatest((args->>'attempt')::int, %(attempt)s)))
        FROM waiting WHERE procrastinate_jobs.id = waiting.id
        RETURNING waiting.id, waiting.queue_name, waiting.is_later
    ), woken AS (
        SELECT pg_notify(
            'procrastinate_queue_v1#' || queue_name,
            json_build_object('type', 'job_inserted', 'job_id', id)::text
        ) FROM brought WHERE is_later
    )
    SELECT (SELECT count(*) FROM waiting) AS waiting, (SELECT count(*) FROM woken) AS woken
"""
TAKE_LOCK = "UPDATE procrastinate_jobs SET lock = %(lock)s WHERE id = %(id)s AND status = 'doing'"
ENQUEUED = """
    SELECT queueing_lock FROM procrastinate_jobs
    WHERE status = 'todo' AND queueing_lock = ANY(%(queueing_locks)s::text[])
    UNION
    SELECT queueing_lock FROM procrastinate_jobs
    WHERE status = 'doing' AND queueing_lock = ANY(%(queueing_locks)s::text[])
"""
IS_BUSY = """
    SELECT EXISTS (
        SELECT FROM procrastinate_jobs
        WHERE status IN ('todo', 'doing') AND task_name = %(task)s AND queue_name = ANY(%(queues)s::text[])
    ) AS busy
"""
WAKE = """
    SELECT pg_notify(
        'procrastinate_queue_v1#' || %(queue)s::text, '{"type": "job_inserted", "job_id": 0}'
    )
"""
ABANDONED = """
    SELECT job.id, job.task_name, job.args FROM procrastinate_jobs AS job
    LEFT JOIN procrastinate_workers AS worker ON worker.id = job.worker_id
    WHERE job.status = 'doing' AND job.queue_name = ANY(%(queues)s::text[]) AND (
        worker.id IS NULL
        OR worker.last_heartbeat < now() - make_interval(secs => %(silent)s)
        OR (worker.id = ANY(%(mine)s::bigint[]) AND NOT job.id = ANY(%(running)s::bigint[]))
    )
"""


@dataclass(frozen=True, slots=True)
class AbandonedJob:
    """A job that is marked as running although nobody runs it."""

    id: int
    task: str
    args: dict[str, Any]


class JobTable:
    """The statements, over the library's connector."""

    def __init__(self, connector: BaseConnector) -> None:
        self._connector = connector

    async def bring_forward(self, queueing_lock: str, due: datetime | None, attempt: int) -> bool:
        """Let a waiting job run at `due` (None: now) if it would run later; false if it waits no more.

        Of both numbers of failed tries the higher one counts.
        """
        found = await self._connector.execute_query_one_async(
            BRING_FORWARD, queueing_lock=queueing_lock, due=due, attempt=attempt
        )
        return bool(found["waiting"])

    async def take_lock(self, row_id: int, lock: str) -> bool:
        """Give a running job the lock of its key; false if another one of the key is running."""
        try:
            await self._connector.execute_query_async(TAKE_LOCK, id=row_id, lock=lock)
        except exceptions.UniqueViolation:
            return False
        return True

    async def known(self, queueing_locks: Sequence[str]) -> set[str]:
        """Which of these wait or run."""
        rows = await self._connector.execute_query_all_async(ENQUEUED, queueing_locks=list(queueing_locks))
        return {row["queueing_lock"] for row in rows}

    async def is_busy(self, queues: Collection[str]) -> bool:
        """Whether a job of these queues waits or runs."""
        found = await self._connector.execute_query_one_async(
            IS_BUSY, task=TASK, queues=[str(queue) for queue in queues]
        )
        return bool(found["busy"])

    async def wake(self, queue: str) -> None:
        """Let the workers of a queue look for jobs now."""
        await self._connector.execute_query_all_async(WAKE, queue=queue)

    async def abandoned(
        self, queues: Collection[str], silent: timedelta, mine: Collection[int], running: Collection[int]
    ) -> list[AbandonedJob]:
        """Jobs that are marked as running, but their worker is silent or gone; or it is `mine`, which runs others."""
        rows = await self._connector.execute_query_all_async(
            ABANDONED,
            queues=[str(queue) for queue in queues],
            silent=silent.total_seconds(),
            mine=list(mine),
            running=list(running),
        )
        return [AbandonedJob(row["id"], row["task_name"], row["args"]) for row in rows]
