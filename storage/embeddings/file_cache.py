"""File cache of vectors: texts that are the same at every start are embedded once for a data folder."""

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import numpy as np

from storage.embeddings.atomic_file import write_atomically
from storage.embeddings.model_card import REVISION
from storage.embeddings.protocol import Embedder, Vectors


def cached_vectors(embedder: Embedder, texts: Sequence[str], folder: Path) -> Vectors:
    """What the embedder gives for these texts, made once for a folder: (n, dimension), float32.

    The file's name holds the model, the revision of the local graph and every text: what differs in one of them has a
    file of its own. Blocking. Raises UnavailableError.
    """
    path = folder / _name(embedder, texts)
    cached = _read(path, (len(texts), embedder.dimension))
    if cached is not None:
        return cached
    vectors = embedder.embed(texts)
    file = BytesIO()
    np.save(file, vectors, allow_pickle=False)
    with suppress(OSError):  # Without the file the next start only takes longer.
        write_atomically(path, file.getvalue())
    return vectors


def _name(embedder: Embedder, texts: Sequence[str]) -> str:
    key = json.dumps([embedder.model, embedder.dimension, REVISION, list(texts)])
    return f"vectors-{hashlib.sha256(key.encode()).hexdigest()[:32]}.npy"


def _read(path: Path, shape: tuple[int, int]) -> Vectors | None:
    """The file's vectors; None when there are none that fit."""
    with suppress(OSError, ValueError, EOFError):
        vectors = np.load(path, allow_pickle=False)
        if vectors.shape == shape and vectors.dtype == np.float32:
            cached: Vectors = vectors
            return cached
    return None
