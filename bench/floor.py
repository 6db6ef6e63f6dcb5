"""The floor: what an answered message costs at the least, by the shortest way through the same parts."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import psycopg
from sqlalchemy import make_url

from storage.embeddings.protocol import Embedder
from storage.knowledge.search import NEAREST_VECTORS
from storage.knowledge.vectors import VectorStore
from storage.settings import Settings

COMMITS = 2
INSERT = "INSERT INTO bench_floor (text) VALUES ({})"


class Floor:
    """One query embedding, one Chroma query on the desk's own collection, two durable commits to its database."""

    def __init__(
        self, embedder: Embedder, vectors: VectorStore, workspace_id: str, commit: Callable[[str], None]
    ) -> None:
        self._embedder = embedder
        self._vectors = vectors
        self._workspace_id = workspace_id
        self._commit = commit

    def seconds(self, text: str) -> float:
        """How long that takes for this text, on the calling thread."""
        start = time.perf_counter()
        vector = self._embedder.embed([text])[0]
        self._vectors.query(self._workspace_id, vector, NEAREST_VECTORS)
        for _ in range(COMMITS):
            self._commit(text)
        return time.perf_counter() - start


@contextmanager
def open_floor(settings: Settings, embedder: Embedder, vectors: VectorStore, workspace_id: str) -> Iterator[Floor]:
    """The floor beside a desk: plain drivers, as durable as the desk's own commits."""
    with _committer(settings) as commit:
        yield Floor(embedder, vectors, workspace_id, commit)


@contextmanager
def _committer(settings: Settings) -> Iterator[Callable[[str], None]]:
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite":
        with closing(sqlite3.connect(str(url.database), isolation_level=None, timeout=30)) as connection:
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("CREATE TABLE IF NOT EXISTS bench_floor (id INTEGER PRIMARY KEY, text TEXT)")
            yield lambda text: _sqlite_commit(connection, text)
        return
    conninfo = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(conninfo, autocommit=True) as server:
        server.execute("CREATE TABLE IF NOT EXISTS bench_floor (id SERIAL PRIMARY KEY, text TEXT)")
        yield lambda text: _postgres_commit(server, text)


def _sqlite_commit(connection: sqlite3.Connection, text: str) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(INSERT.format("?"), (text,))
    connection.execute("COMMIT")


def _postgres_commit(connection: psycopg.Connection[tuple[object, ...]], text: str) -> None:
    with connection.transaction():
        connection.execute(INSERT.format("%s"), (text,))
