"""The embedder of a process that seldom needs one: the model is loaded with the first text."""

from collections.abc import Sequence
from threading import Lock

from storage.embeddings.local import (
    Embedder,
    LocalEmbedder,
    Vectors,
    load_embedder,
)
from storage.settings import Settings


class LazyEmbedder:
    """Knows the model's name at once, and loads the model when it is needed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._loaded: Embedder | None = None
        self._loading = Lock()

    @property
    def model(self) -> str:
        """The model's name."""
        return LocalEmbedder.model if self._settings.embeddings.provider == "local" else self._settings.embeddings.model

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        return self._embedder().dimension

    @property
    def is_loaded(self) -> bool:
        """Whether anybody has needed it."""
        return self._loaded is not None

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One L2-normalised row per text: (n, dimension), float32. Raises UnavailableError."""
        return self._embedder().embed(texts)

    def _embedder(self) -> Embedder:
        with self._loading:
            if self._loaded is None:
                self._loaded = load_embedder(self._settings)
            return self._loaded
