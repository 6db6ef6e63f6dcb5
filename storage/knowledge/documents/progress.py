"""Throttled progress: how far a document is loaded, kept in its row now and then while the load goes on."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from sqlalchemy import update

from storage.database.engine import Database
from storage.database.tables import documents
from storage.errors import DeskhandError
from storage.knowledge.chunks import LoadProgress
from storage.records import DocumentStatus

EVERY_SECONDS = 1.0
log = structlog.get_logger(__name__)


@asynccontextmanager
async def recorded_progress(
    database: Database, document_id: str, pass_on: LoadProgress | None = None, every: float = EVERY_SECONDS
) -> AsyncIterator[LoadProgress]:
    """What a load calls with (done, total): the row gets the percentage once in `every` seconds, beside the load."""
    writing: set[asyncio.Task[None]] = set()
    latest = -every

    def report(done: int, total: int) -> None:
        nonlocal latest
        if pass_on:
            pass_on(done, total)
        if not writing and time.monotonic() - latest >= every:
            latest = time.monotonic()
            task = asyncio.create_task(_keep(database, document_id, 100 * done // max(total, 1)))
            writing.add(task)
            task.add_done_callback(writing.discard)

    try:
        yield report
    finally:
        await asyncio.gather(*writing)


async def _keep(database: Database, document_id: str, percent: int) -> None:
    mine = (documents.c.id == document_id) & (documents.c.status == DocumentStatus.LOADING)
    try:
        async with database.write() as connection:
            await connection.execute(update(documents).where(mine).values(progress=percent))
    except DeskhandError as error:
        log.warning("progress not kept", document=document_id, error=error.detail)
