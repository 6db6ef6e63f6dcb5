"""Fixtures around a real store, for the conftests of the tests that need one: databases, Chroma, people."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from storage.database.engine import Database
from storage.embeddings.protocol import Embedder
from storage.records import Member, Role, new_id
from storage.settings import Settings
from storage.store import Store
from tests.support.chroma_server import ChromaServer, chroma_running, start_chroma, stop_chroma
from tests.support.databases import copied_database, start_postgres, stop_postgres
from tests.support.passwords import PASSWORD
from tests.support.rows import database_of
from tests.support.settings import settings_for
from tests.support.shared_model import shared_embedder
from tests.support.shared_service import run_folder, shared_service
from tests.support.store import open_test_store


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[str]:
    """A real PostgreSQL server for the whole run."""
    place = run_folder(tmp_path_factory, worker_id) / "postgres"
    with shared_service(place, start_postgres, stop_postgres) as url:
        yield url


@pytest.fixture
def new_postgres_url(postgres_url: str) -> str:
    """A fresh, migrated database on that server."""
    return copied_database(postgres_url, f"test_{new_id()}")


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Both databases of DESIGN section 5: a test with this fixture runs once on each. Empty means SQLite."""
    return "" if request.param == "sqlite" else str(request.getfixturevalue("new_postgres_url"))


@pytest.fixture(scope="session")
def chroma_url(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[str]:
    """One Chroma server for the whole run, for tests that leave it running and share it by workspaces of their own."""
    place = run_folder(tmp_path_factory, worker_id) / "chroma"
    with shared_service(place, start_chroma, stop_chroma) as address:
        yield address.partition("#")[0]


@pytest.fixture
def own_chroma_server(tmp_path: Path) -> Iterator[ChromaServer]:
    """A Chroma server of the test's own, to stop, freeze and start again."""
    with chroma_running(tmp_path / "chroma-server") as server:
        yield server


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    """The real embedding model, loaded once."""
    return shared_embedder()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The defaults on SQLite in a folder of the test's own, without the gathering pause and rate limits."""
    return settings_for(tmp_path)


@pytest.fixture
async def store(tmp_path: Path, database_url: str, embedder: Embedder) -> AsyncIterator[Store]:
    """A store on each of the two databases."""
    async with open_test_store(settings_for(tmp_path, database_url), embedder) as store:
        yield store


@pytest.fixture
def database(store: Store) -> Database:
    """The store's database."""
    return database_of(store)


@pytest.fixture
async def agent(store: Store) -> Member:
    """An agent of the workspace `demo`."""
    return await store.accounts.members.add("demo", "agent@demo.example", "Alex Agent", Role.AGENT, PASSWORD)


@pytest.fixture
async def admin(store: Store) -> Member:
    """An admin of the workspace `demo`."""
    return await store.accounts.members.add("demo", "admin@demo.example", "Ada Admin", Role.ADMIN, PASSWORD)
