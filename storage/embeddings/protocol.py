"""Embedder protocol: what the desk asks of whatever turns texts into vectors."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


class Embedder(Protocol):
    """Texts to vectors of length 1. Blocking and thread-safe: call it from a thread, never on the event loop."""

    @property
    def model(self) -> str:
        """The model's name: vectors of different models are never compared."""
        ...

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One L2-normalised row per text: (n, dimension), float32. Raises UnavailableError."""
        ...
