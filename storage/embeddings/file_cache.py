"""Vectors of texts that are the same at every start, kept in a file."""

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import numpy as np

from storage.embeddings.local import Embedder, Vectors, write_whole
from storage.embeddings.minilm import REVISION


def kept_vectors(embedder: Embedder, texts: Sequence[str], folder: Path) -> Vectors:
    """What the embedder gives for these texts, made once for a folder: (n, dimension), float32.

    The file's name holds the model, the revision of the local graph and every text: what differs in one of them has a
    file of its own. Blocking. Raises UnavailableError.
    """
    path = folder / _name(embedder, texts)
    kept = _read(path, (len(texts), embedder.dimension))
    if kept is not None:
        return kept
    vectors = embedder.embed(texts)
    written = BytesIO()
    np.save(written, vectors, allow_pickle=False)
    with suppress(OSError):  # Without the file the next start only takes longer.
        write_whole(path, written.getvalue())
    return vectors


def _name(embedder: Embedder, texts: Sequence[str]) -> str:
    made_of = json.dumps([embedder.model, embedder.dimension, REVISION, list(texts)])
    return f"vectors-{hashlib.sha256(made_of.encode()).hexdigest()[:32]}.npy"


def _read(path: Path, shape: tuple[int, int]) -> Vectors | None:
    """The file's vectors; None when there are none that fit."""
    with suppress(OSError, ValueError, EOFError):
        vectors = np.load(path, allow_pickle=False)
        if vectors.shape == shape and vectors.dtype == np.float32:
            kept: Vectors = vectors
            return kept
    return None
