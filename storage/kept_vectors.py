"""Vectors of texts that are the same at every start, kept in a file."""

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import numpy as np

from storage.embedder import Embedder, Vectors, write_whole


class KeptVectors:
    """An embedder that makes the vectors of a list of texts once for a data folder; a single text is not kept.

    The file's name holds the model and every text: other texts and other models have files of their own.
    """

    def __init__(self, inner: Embedder, folder: Path) -> None:
        self._inner, self._folder = inner, folder

    @property
    def model(self) -> str:
        """The inner model's name."""
        return self._inner.model

    @property
    def dimension(self) -> int:
        """The inner model's."""
        return self._inner.dimension

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One L2-normalised row per text: (n, dimension), float32. Raises UnavailableError."""
        if len(texts) < 2:  # noqa: PLR2004 - a list
            return self._inner.embed(texts)
        path = self._path(texts)
        kept = _read(path, (len(texts), self.dimension))
        if kept is not None:
            return kept
        vectors = self._inner.embed(texts)
        written = BytesIO()
        np.save(written, vectors, allow_pickle=False)
        with suppress(OSError):  # Without the file the next start only takes longer.
            write_whole(path, written.getvalue())
        return vectors

    def _path(self, texts: Sequence[str]) -> Path:
        named = json.dumps([self.model, self.dimension, list(texts)])
        return self._folder / f"vectors-{hashlib.sha256(named.encode()).hexdigest()[:32]}.npy"


def _read(path: Path, shape: tuple[int, int]) -> Vectors | None:
    """The file's vectors; None when there are none that fit."""
    with suppress(OSError, ValueError, EOFError):
        vectors = np.load(path, allow_pickle=False)
        if vectors.shape == shape and vectors.dtype == np.float32:
            kept: Vectors = vectors
            return kept
    return None
