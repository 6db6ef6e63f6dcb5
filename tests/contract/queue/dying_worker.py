"""A worker in a process of its own that begins a job and never ends it, until it is killed.

Run as `python -m tests.contract.queue.dying_worker DATABASE_URL`; it prints the id of the job that it has begun.
"""

import asyncio
import sys
from pathlib import Path

from storage.database.engine import open_database
from storage.queue.jobs import (
    Handlers,
    Job,
    JobKind,
    RunAt,
)
from storage.queue.opening import open_jobs
from tests.support.settings import settings_for


async def begin(job: Job) -> RunAt | None:
    """Say so, and go on for ever."""
    sys.stdout.write(f"{job.id}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()
    return None


async def nobody(_job: Job, _reason: str) -> None:
    """Nothing is given up here."""


async def main(url: str) -> None:
    """Work until killed."""
    settings = settings_for(Path(), url)
    database = open_database(settings.database_url)
    async with open_jobs(settings, database) as jobs:
        jobs.start(Handlers(dict.fromkeys(JobKind, begin), nobody))
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
