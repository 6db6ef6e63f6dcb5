"""Whether this process can do its work right now."""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from storage.database import Database
from storage.errors import UnavailableError
from storage.knowledge import Knowledge

log = structlog.get_logger(__name__)

PATIENCE_SECONDS = 3.0


class Health:
    """Asks each part that an answer needs."""

    def __init__(self, database: Database, knowledge: Knowledge) -> None:
        self._database = database
        self._knowledge = knowledge

    async def parts(self) -> Mapping[str, bool]:
        """Every part by name, and whether it answers within three seconds; why not is in the log."""
        checks = {"database": self._database_answers(), "vectors": self._knowledge.check()}
        ready = await asyncio.gather(*(_answers(name, check) for name, check in checks.items()))
        return dict(zip(checks, ready, strict=True))

    async def _database_answers(self) -> None:
        async with self._database.read() as connection:
            await connection.execute(select(1))


async def _answers(name: str, check: Awaitable[Any]) -> bool:
    try:
        await asyncio.wait_for(check, PATIENCE_SECONDS)
    except (UnavailableError, SQLAlchemyError, OSError, TimeoutError) as error:
        log.warning("not ready", part=name, why=str(error) or type(error).__name__)
        return False
    return True
