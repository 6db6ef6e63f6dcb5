"""A whole desk, wired by the composition root, and a browser's patience."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import expect

from commands.process.composition import Process
from storage.settings import Settings
from tests.support.faq import FAQ
from tests.support.passwords import quick_passwords
from tests.support.store_fixtures import (
    chroma_url,
    database_url,
    embedder,
    new_postgres_url,
    own_chroma_server,
    postgres_url,
    settings,
)
from tests.support.whole_desk import open_desk

__all__ = [
    "chroma_url",
    "database_url",
    "embedder",
    "new_postgres_url",
    "own_chroma_server",
    "postgres_url",
    "process",
    "quick_passwords",
    "settings",
]
# A busy machine answers late; what never comes fails all the same.
expect.set_options(timeout=30_000)


@pytest.fixture
async def process(settings: Settings) -> AsyncIterator[Process]:
    """A whole desk on the embedded default with a small FAQ in the workspace `demo`."""
    async with open_desk(settings) as process:
        await process.store.accounts.workspaces.create("demo", "Demo")
        await process.store.accounts.deployment.choose_home_workspace("demo")
        document = await process.store.knowledge.catalogue.create("demo", "faq.csv", FAQ)
        await process.store.knowledge.catalogue.load_document(document.id)
        yield process
