"""A whole desk in the test's process, wired by the composition root."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from commands.process.composition import Process, open_process
from storage.settings import Settings
from tests.support.shared_model import shared_embedder


@asynccontextmanager
async def open_desk(settings: Settings, *, chats: bool = False) -> AsyncIterator[Process]:
    """A whole desk with the shared model; everything else as the composition root wires it."""
    async with open_process(settings, chats=chats, embedder=shared_embedder()) as process:
        yield process
