"""Health checks: whether this process can do its work right now, part by part."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError

from storage.database.engine import Database
from storage.database.schema import revisions
from storage.errors import SchemaError, UnavailableError

log = structlog.get_logger(__name__)

CHECK_SECONDS = 3.0
REVISION = text("SELECT version_num FROM alembic_version")
HealthCheck = Callable[[], Awaitable[None]]
"""Raises unless its part is as it should be."""


class Health:
    """Asks each part that an answer needs.

    `check_vectors` raises UnavailableError unless they answer. `takes_jobs`: whether this process takes jobs; None: it
    has no jobs to take, or leaves them to others.
    """

    def __init__(
        self, database: Database, check_vectors: HealthCheck, takes_jobs: Callable[[], bool] | None = None
    ) -> None:
        self._database = database
        self._check_vectors = check_vectors
        self._takes_jobs = takes_jobs

    async def parts(self) -> Mapping[str, bool]:
        """Database and vectors, and whether each answers within three seconds; why not is in the log."""
        return await _passed({"database": self._check_database, "vectors": self._check_vectors})

    async def readiness(self) -> Mapping[str, bool]:
        """Everything that this process needs for its work: the parts, the schema, and its own jobs if it takes any."""
        checks: dict[str, HealthCheck] = {
            "database": self._check_database,
            "schema": self._check_schema,
            "vectors": self._check_vectors,
        }
        if self._takes_jobs is not None:
            checks["queue"] = self._check_queue
        return await _passed(checks)

    async def _check_database(self) -> None:
        async with self._database.read() as connection:
            await connection.execute(select(1))

    async def _check_schema(self) -> None:
        """A newer version's schema is no reason to stop: while versions are exchanged, the old one goes on working."""
        ours = await asyncio.to_thread(revisions)
        async with self._database.read() as connection:
            current = (await connection.execute(REVISION)).scalar_one_or_none()
        if current is None or (current in ours.known and current != ours.newest):
            raise SchemaError(f"the database is at revision {current or 'none'}, this version needs {ours.newest}")

    async def _check_queue(self) -> None:
        if self._takes_jobs is not None and not self._takes_jobs():
            raise UnavailableError("this process takes no jobs")


async def _passed(checks: Mapping[str, HealthCheck]) -> Mapping[str, bool]:
    passed = await asyncio.gather(*(_passes(name, check) for name, check in checks.items()))
    return dict(zip(checks, passed, strict=True))


async def _passes(name: str, check: HealthCheck) -> bool:
    try:
        await asyncio.wait_for(check(), CHECK_SECONDS)
    except (UnavailableError, SchemaError, SQLAlchemyError, OSError, TimeoutError) as error:
        log.warning("not ready", part=name, why=str(error).partition("\n")[0] or type(error).__name__)
        return False
    return True
