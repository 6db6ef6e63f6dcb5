"""Whether this process can do its work right now."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError

from storage.database.engine import Database
from storage.database.schema import revisions
from storage.errors import SchemaError, UnavailableError
from storage.knowledge.search import Knowledge

log = structlog.get_logger(__name__)

PATIENCE_SECONDS = 3.0
REVISION = text("SELECT version_num FROM alembic_version")


class Health:
    """Asks each part that an answer needs.

    `works`: whether this process takes jobs; None: it has no jobs to take, or leaves them to others.
    """

    def __init__(self, database: Database, knowledge: Knowledge, works: Callable[[], bool] | None = None) -> None:
        self._database = database
        self._knowledge = knowledge
        self._works = works

    async def parts(self) -> Mapping[str, bool]:
        """Database and vectors, and whether each answers within three seconds; why not is in the log."""
        return await _all({"database": self._database_answers(), "vectors": self._knowledge.check()})

    async def readiness(self) -> Mapping[str, bool]:
        """Everything that this process needs for its work: the parts, the schema, and its own jobs if it takes any."""
        checks: dict[str, Awaitable[Any]] = {
            "database": self._database_answers(),
            "schema": self._schema_is_new_enough(),
            "vectors": self._knowledge.check(),
        }
        if self._works is not None:
            checks["queue"] = self._queue_works(self._works)
        return await _all(checks)

    async def _database_answers(self) -> None:
        async with self._database.read() as connection:
            await connection.execute(select(1))

    async def _schema_is_new_enough(self) -> None:
        """A newer version's schema is no reason to stop: while versions are exchanged, the old one goes on working."""
        ours = await asyncio.to_thread(revisions)
        async with self._database.read() as connection:
            current = (await connection.execute(REVISION)).scalar_one_or_none()
        if current is None or (current in ours.known and current != ours.newest):
            raise SchemaError(f"the database is at revision {current or 'none'}, this version needs {ours.newest}")

    async def _queue_works(self, works: Callable[[], bool]) -> None:
        if not works():
            raise UnavailableError("this process takes no jobs")


async def _all(checks: Mapping[str, Awaitable[Any]]) -> Mapping[str, bool]:
    ready = await asyncio.gather(*(_answers(name, check) for name, check in checks.items()))
    return dict(zip(checks, ready, strict=True))


async def _answers(name: str, check: Awaitable[Any]) -> bool:
    try:
        await asyncio.wait_for(check, PATIENCE_SECONDS)
    except (UnavailableError, SchemaError, SQLAlchemyError, OSError, TimeoutError) as error:
        log.warning("not ready", part=name, why=str(error).partition("\n")[0] or type(error).__name__)
        return False
    return True
