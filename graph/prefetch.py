"""Speculative prefetching: a message is embedded while its rows are written, so that the turn finds it in the cache."""

import asyncio

from graph.guard.masking import mask
from graph.guard.sanitising import sanitise
from storage.embeddings.caching import CachingEmbedder
from storage.errors import UnavailableError


class EmbeddingPrefetch:
    """For a process that accepts messages and answers them with a model of its own; a wrong guess costs no answer.

    It is right when the turn's question is this one message, and is not made while the model is at work.
    """

    def __init__(self, embedder: CachingEmbedder, max_characters: int) -> None:
        self._embedder = embedder
        self._max_characters = max_characters
        self._running: asyncio.Future[None] | None = None

    def prefetch(self, text: str) -> None:
        """A customer has written this; returns at once."""
        if len(text) <= self._max_characters and (self._running is None or self._running.done()):
            self._running = asyncio.get_running_loop().run_in_executor(None, self._embed, text)

    def _embed(self, text: str) -> None:
        """Embed what the guard will ask the model about."""
        masked = mask(sanitise(text)).text
        if not masked:
            return
        try:
            self._embedder.prefetch(masked)
        except UnavailableError:
            return  # the turn asks again and says so
