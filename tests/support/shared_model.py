"""The embedding model of all desks in one test process: loaded once, and asked once for each text."""

import atexit
import tempfile
import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from graph.triage.classifier import Classifier
from graph.triage.examples import load_examples
from storage.embeddings.opening import load_embedder
from storage.embeddings.protocol import Embedder, Vectors
from storage.settings import Settings


class SharedEmbedder:
    """The real model, with a memory: every desk fits its classifier to the same hundreds of examples."""

    def __init__(self, inner: Embedder) -> None:
        self.model, self.dimension = inner.model, inner.dimension
        self._inner, self._known, self._lock = inner, dict[str, Vectors](), threading.Lock()

    def embed(self, texts: Sequence[str]) -> Vectors:
        """What the real model gives."""
        with self._lock:
            new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            vectors = self._inner.embed(new)
            with self._lock:
                self._known |= dict(zip(new, vectors, strict=True))
        rows = [self._known[text] for text in texts]
        return np.stack(rows) if rows else np.empty((0, self.dimension), np.float32)


@cache
def _kept() -> Path:
    """A folder that lasts as long as this process."""
    folder = tempfile.TemporaryDirectory(prefix="deskhand-model-")
    atexit.register(folder.cleanup)
    return Path(folder.name)


@cache
def shared_embedder() -> Embedder:
    """Loaded at the first use."""
    return SharedEmbedder(load_embedder(Settings(data_dir=_kept())))


@cache
def shared_classifier() -> Classifier:
    """Fitted once to the examples."""
    classifier = Classifier(shared_embedder(), load_examples())
    classifier.warm()
    return classifier


@cache
def _made() -> tuple[Path, ...]:
    """What a desk's first start makes from the installed weights: the model's file and the examples' vectors."""
    folder = _kept() / "models"
    Classifier(shared_embedder(), load_examples(), folder).warm()
    return tuple(folder.iterdir())


def lend_model(data_dir: Path) -> None:
    """Spare a desk's process what takes it seconds at its first start with a data folder."""
    (data_dir / "models").mkdir(parents=True, exist_ok=True)
    for made in _made():
        (data_dir / "models" / made.name).symlink_to(made)
