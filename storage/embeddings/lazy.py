"""Lazy loading: the embedder of a process that seldom needs one loads its model with the first text."""

from collections.abc import Sequence
from threading import Lock

from storage.embeddings.opening import load_embedder, model_name
from storage.embeddings.protocol import Embedder, Vectors
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
        return model_name(self._settings)

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        return self._embedder().dimension

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One L2-normalised row per text: (n, dimension), float32. Raises UnavailableError."""
        return self._embedder().embed(texts)

    def _embedder(self) -> Embedder:
        with self._loading:
            if self._loaded is None:
                self._loaded = load_embedder(self._settings)
            return self._loaded
