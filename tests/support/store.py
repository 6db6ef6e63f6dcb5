"""A real store for a test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from storage.embeddings.protocol import Embedder
from storage.opening import open_store
from storage.settings import Settings
from storage.store import Store
from tests.support.databases import prepare


@asynccontextmanager
async def open_test_store(settings: Settings, embedder: Embedder) -> AsyncIterator[Store]:
    """A migrated store with the home workspace `demo` in it."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    await prepare(settings.database_url)
    async with open_store(settings, embedder) as store:
        await store.accounts.workspaces.create("demo", "Demo")
        await store.accounts.deployment.choose_home_workspace("demo")
        yield store
