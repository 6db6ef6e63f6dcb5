"""Retrying connector: the library's statements ride out a restarted server and cut connections."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import closing
from typing import Any, LiteralString, TypeVar

import psycopg
import structlog
from procrastinate import PsycopgConnector, exceptions, sql
from procrastinate.connector import Notify
from psycopg_pool import AsyncConnectionPool

from storage.backoff import Backoff

log = structlog.get_logger(__name__)
T = TypeVar("T")

MAX_OUTAGE_SECONDS = 10.0
"""How long a statement is tried again while the server is away."""
BACKOFF = Backoff(first=0.1, longest=2.0)
LOCK_TAKEN = "procrastinate_jobs_lock_idx_v1"
"""The index that lets only one job of a lock run."""
POOL_SIZE = 4
REPEAT_SECONDS = 0.05


class RetryingConnector(PsycopgConnector):
    """Tries a statement again when its connection was lost before the answer came.

    So a statement may run twice. Each of the library's is harmless then, or says so: a job that is enqueued twice is
    refused, one that is finished twice is not found, one that was fetched for nobody is missed by its worker.
    """

    def __init__(self, conninfo: str, max_outage_seconds: float = MAX_OUTAGE_SECONDS) -> None:
        super().__init__(
            pool_factory=_unchecked_pool,
            conninfo=conninfo,
            min_size=1,
            max_size=POOL_SIZE,
            timeout=max_outage_seconds,
            configure=_configure,
        )
        self._max_outage = max_outage_seconds
        self._is_stopping = False

    def stop_retrying(self) -> None:
        """The process stops: nothing is tried again from now on."""
        self._is_stopping = True

    async def execute_query_async(self, query: LiteralString, **arguments: Any) -> None:
        """Run a statement without an answer."""
        try:
            await self._retrying(lambda: super(RetryingConnector, self).execute_query_async(query, **arguments))
        except exceptions.ConnectorException as error:
            # "Job was not found": it has been finished already, by the lost try or by who took it over.
            if query != sql.queries["finish_job"] or not isinstance(error.__cause__, psycopg.errors.RaiseException):
                raise

    async def execute_query_one_async(self, query: LiteralString, **arguments: Any) -> dict[str, Any]:
        """Run a statement that answers one row."""

        async def work() -> dict[str, Any]:
            found: dict[str, Any] = await super(RetryingConnector, self).execute_query_one_async(query, **arguments)
            return found

        # The key of the job that was to be fetched was taken in the same moment: the next try sees that.
        return await self._retrying(work, also_retry=LOCK_TAKEN if query == sql.queries["fetch_job"] else None)

    async def execute_query_all_async(self, query: LiteralString, **arguments: Any) -> list[dict[str, Any]]:
        """Run a statement that answers rows."""
        return await self._retrying(lambda: super(RetryingConnector, self).execute_query_all_async(query, **arguments))

    async def listen_notify(self, on_notification: Notify, channels: Iterable[str]) -> None:
        """Hear notifications until cancelled, over as many connections as that takes."""
        with closing(RepeatedNotify(on_notification)) as repeated:
            for pause in BACKOFF.pauses():
                try:
                    await super().listen_notify(on_notification=repeated, channels=channels)
                except exceptions.ConnectorException as error:
                    log.warning("queue notifications interrupted", reason=_reason(error))
                await asyncio.sleep(pause)

    async def _retrying(self, work: Callable[[], Awaitable[T]], also_retry: str | None = None) -> T:
        """`also_retry`: the name of a constraint whose violation is tried again too."""
        deadline = asyncio.get_running_loop().time() + self._max_outage
        for pause in BACKOFF.pauses():
            try:
                return await work()
            except exceptions.ConnectorException as error:
                late = asyncio.get_running_loop().time() + pause >= deadline
                if self._is_stopping or late or not _is_transient(error, also_retry):
                    raise
            await asyncio.sleep(pause)
        raise AssertionError


class RepeatedNotify:
    """Passes each notification on, and once more a little later.

    The library's worker forgets what it hears while it looks for jobs, also what came too late for that look.
    """

    def __init__(self, on_notification: Notify) -> None:
        self._pass_on = on_notification
        self._repeat: asyncio.Task[None] | None = None

    async def __call__(self, *, channel: str, payload: str) -> None:
        """Pass a notification on; the first of a burst comes again."""
        await self._pass_on(channel=channel, payload=payload)
        if self._repeat is None or self._repeat.done():
            self._repeat = asyncio.create_task(self._again(channel, payload))

    def close(self) -> None:
        """Repeat no more."""
        if self._repeat is not None:
            self._repeat.cancel()

    async def _again(self, channel: str, payload: str) -> None:
        await asyncio.sleep(REPEAT_SECONDS)
        await self._pass_on(channel=channel, payload=payload)


def _unchecked_pool(*, check: object, **options: Any) -> AsyncConnectionPool:  # noqa: ARG001 - the library asks for it
    """A check before every statement would double the way; what fails is tried again anyway."""
    return AsyncConnectionPool(**options)


async def _configure(connection: psycopg.AsyncConnection[Any]) -> None:
    """Each of the library's statements is a transaction by itself: one round trip instead of three.

    None waits until the disk has it. What a power cut of the server takes from the queue comes back from the rows: a
    job whose enqueuing is lost, at the next look for jobs that were never enqueued; one whose fetching or end is lost
    runs again and finds nothing to do.
    """
    await connection.set_autocommit(True)
    await connection.execute("SET synchronous_commit TO off")


def _is_transient(error: exceptions.ConnectorException, also_retry: str | None) -> bool:
    if isinstance(error, exceptions.UniqueViolation):
        return error.constraint_name == also_retry
    return isinstance(error.__cause__, psycopg.OperationalError | psycopg.InterfaceError)


def _reason(error: Exception) -> str:
    return str(error.__cause__ or error).partition("\n")[0]
