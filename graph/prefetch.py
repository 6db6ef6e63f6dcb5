"""The embedding of a message made while its rows are written, so that the turn finds it ready."""

import asyncio

from graph.guard.masking import mask
from graph.nodes.guard import clean
from storage.embeddings.caching import CachingEmbedder
from storage.errors import UnavailableError


class EmbeddingPrefetch:
    """For a process that accepts messages and answers them with a model of its own; a guess that costs no answer.

    It is right when the turn's question is this one message, and is not made while the model is at work.
    """

    def __init__(self, embedder: CachingEmbedder, most_characters: int) -> None:
        self._embedder = embedder
        self._most = most_characters
        self._guess: asyncio.Future[None] | None = None

    def expect(self, text: str) -> None:
        """A customer has written this; returns at once."""
        if len(text) <= self._most and (self._guess is None or self._guess.done()):
            self._guess = asyncio.get_running_loop().run_in_executor(None, self._prepare, text)

    def _prepare(self, text: str) -> None:
        """What the guard will ask the model about."""
        masked = mask(clean(text)).text
        if not masked:
            return
        try:
            self._embedder.prefetch(masked)
        except UnavailableError:
            return  # the turn asks again and says so
