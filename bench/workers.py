"""How much more several worker processes answer than one, on PostgreSQL, Procrastinate and a Chroma server."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from statistics import median

import psutil  # type: ignore[import-untyped]  # it has no types of its own
from sqlalchemy import text

from bench.laboratory import WORKSPACE, add_workspace
from bench.questions import questions
from bench.sizes import Sizes
from bench.traffic import LOOK_SECONDS, delivered
from bench.turnaround import CONVERSATIONS
from commands.process.composition import Process, open_process
from commands.process.roles import ProcessRole
from storage.cluster.events import wait_for_event
from storage.records import Incoming, new_id
from storage.settings import Settings
from storage.telemetry.logging import set_up_logging
from tests.support.chroma_server import free_port
from tests.support.processes import Child, environment_of
from tests.support.rows import database_of

COUNTS = (1, 2, 4)
WARM_UP = 2
"""Messages per conversation for each worker, before it is measured."""
PATIENCE_SECONDS = 180.0
LEDGER_SECONDS = 2.0


async def workers(settings: Settings, sizes: Sizes) -> dict[str, float]:
    """`postgres_2_workers_over_1` and its neighbours: bursts of 32 conversations; 1, 2, 4 workers, again and again.

    The customers write through intake in this process, as `deskhand web` has it, and hear of replies by NOTIFY.
    """
    rates: dict[int, list[float]] = {count: [] for count in COUNTS}
    memory: list[float] = []
    set_up_logging(settings)
    async with open_process(settings, ProcessRole.WEB) as process:
        await add_workspace(process.store, WORKSPACE)
        texts = questions(seed=7)
        before, written = await ledger(process), 0
        for count in COUNTS * sizes.worker_rounds:
            async with running(settings, count) as resident:
                # Each process begins with empty memories: none of several is measured cooler than one.
                await burst(process, texts, WARM_UP * count)
                measured = sizes.messages_per_worker_burst
                rates[count] += [await burst(process, texts, measured) for _ in range(sizes.worker_bursts)]
                written += CONVERSATIONS * (WARM_UP * count + sizes.worker_bursts * measured)
                memory += resident()
        after = await ledger(process)
    one, two, four = (median(rates[count]) for count in COUNTS)
    return {
        "postgres_2_workers_over_1": two / one,
        "postgres_4_workers_over_1": four / one,
        "messages_per_second_1_worker": one,
        "messages_per_second_2_workers": two,
        "messages_per_second_4_workers": four,
        "worker_rss_mb": median(memory),
        "row_bytes_per_message": (after.size - before.size) / written,
        "transactions_per_message": (after.transactions - before.transactions) / written,
    }


@dataclass(frozen=True, slots=True)
class Ledger:
    """What PostgreSQL has counted so far."""

    size: int
    """Bytes of the whole database, with its indexes."""
    transactions: int
    """Committed ones; those that only read count too."""


async def ledger(process: Process) -> Ledger:
    """Of this database, with what the other processes' connections reported within the last second."""
    await asyncio.sleep(LEDGER_SECONDS)
    query = text(
        "SELECT pg_database_size(current_database()), xact_commit FROM pg_stat_database"
        " WHERE datname = current_database()"
    )
    async with database_of(process.store).read() as connection:
        row = (await connection.execute(query)).one()
    return Ledger(int(row[0]), int(row[1]))


async def burst(process: Process, texts: Iterator[str], messages: int) -> float:
    """Messages per second of 32 customers, each of whom writes on when answered."""
    asked = [list(itertools.islice(texts, messages)) for _ in range(CONVERSATIONS)]
    start = time.perf_counter()
    await asyncio.gather(*(converse(process, mine) for mine in asked))
    return CONVERSATIONS * messages / (time.perf_counter() - start)


async def converse(process: Process, texts: list[str]) -> None:
    """One conversation: every text is written when the reply to the one before is delivered."""
    thread = new_id()
    for number, said in enumerate(texts, start=1):
        incoming = Incoming(WORKSPACE, "web", new_id(), thread, f"customer of {thread}", said)
        accepted = await process.intake.accept(incoming)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await answered(process, accepted.conversation_id, number)


async def answered(process: Process, conversation_id: str, replies: int) -> None:
    """Return when so many replies of the conversation are delivered."""
    with process.store.cluster.events.listen(conversation_id) as news:
        while True:
            news.clear()
            if await delivered(process, conversation_id) >= replies:
                return
            await wait_for_event(news, LOOK_SECONDS)


@asynccontextmanager
async def running(settings: Settings, count: int) -> AsyncIterator[Callable[[], list[float]]]:
    """So many `deskhand worker` processes, ready; gives a function for their resident memory in MB."""
    children = [worker(settings) for _ in range(count)]
    try:
        await asyncio.gather(*(child.ready() for child in children))
        yield lambda: [psutil.Process(child.process.pid).memory_info().rss / 2**20 for child in children]
    finally:
        await asyncio.gather(*(child.stop() for child in children))


def worker(settings: Settings) -> Child:
    """A worker on these rows and vectors; it is not ready yet."""
    port = str(free_port())
    environment = environment_of(
        settings.data_dir.parent,
        DATABASE_URL=settings.database.url,
        DESKHAND_CHROMA__URL=settings.chroma.url,
        DESKHAND_SECRET=settings.web.secret.get_secret_value(),
        DESKHAND_WORKER__PORT=port,
        DESKHAND_LOG__LEVEL="error",
    )
    return Child(environment, settings.data_dir.parent / f"worker-{port}", "worker")
