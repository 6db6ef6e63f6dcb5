"""Vectors in Chroma: one collection per workspace and embedding model, cosine space, never Chroma's own embeddings."""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import cast
from urllib.parse import urlsplit

import chromadb
import httpx
import numpy as np
from chromadb.api.client import Client
from chromadb.api.models.Collection import Collection as ChromaCollection
from chromadb.api.types import Metadata
from chromadb.config import Settings as ChromaOptions
from chromadb.errors import ChromaError, NotFoundError
from numpy.typing import NDArray

from storage.embedder import Vectors
from storage.errors import UnavailableError
from storage.settings import Settings

WRITE_BATCH = 1000
"""Vectors in one request; Chroma's own limit is about 5,000."""


class VectorStore:
    """The vectors of every workspace. Blocking and thread-safe; every method may raise UnavailableError.

    A vector's id is `<chunk id>:<number>`, so that a query needs no metadata to know its chunk.
    """

    def __init__(self, client: Client, model: str) -> None:
        self._client = client
        self._model = model
        self._collections: dict[str, ChromaCollection] = {}
        self._opening = Lock()

    def upsert(self, workspace_id: str, ids: Sequence[str], vectors: Vectors, documents: Sequence[str]) -> None:
        """Write vectors (n, dimension) under their ids, each with its document's id; the same id again replaces."""
        with self._reachable():
            collection = self._collection(workspace_id)
            for start in range(0, len(ids), WRITE_BATCH):
                part = slice(start, start + WRITE_BATCH)
                owners: list[Metadata] = [{"document": document_id} for document_id in documents[part]]
                collection.upsert(ids=list(ids[part]), embeddings=vectors[part], metadatas=owners)

    def query(self, workspace_id: str, vector: NDArray[np.float32], limit: int) -> dict[str, float]:
        """Cosine by vector id of the nearest vectors, nearest first."""
        with self._reachable():
            found = self._collection(workspace_id).query(
                query_embeddings=vector.reshape(1, -1), n_results=limit, include=["distances"]
            )
        distances = (found["distances"] or [[]])[0]
        return {name: 1.0 - distance for name, distance in zip(found["ids"][0], distances, strict=True)}

    def cosines(self, workspace_id: str, vector: NDArray[np.float32], ids: Sequence[str]) -> dict[str, float]:
        """Cosine by id for these vectors; unknown ids are left out."""
        with self._reachable():
            found = self._collection(workspace_id).get(ids=list(ids), include=["embeddings"])
        embeddings = found["embeddings"]
        if embeddings is None or not found["ids"]:
            return {}
        matrix = np.asarray(embeddings, np.float32)
        norms = np.linalg.norm(matrix, axis=1)
        return dict(zip(found["ids"], (matrix @ vector / norms).tolist(), strict=True))

    def remove(self, workspace_id: str, document_id: str) -> None:
        """Delete the vectors of one document."""
        with self._reachable():
            self._collection(workspace_id).delete(where={"document": document_id})

    def prune(self, workspace_id: str, keep: Collection[str]) -> None:
        """Delete every vector whose id is not in `keep`."""
        with self._reachable():
            collection = self._collection(workspace_id)
            stale = [name for name in collection.get(include=[])["ids"] if name not in keep]
            for start in range(0, len(stale), WRITE_BATCH):
                collection.delete(ids=stale[start : start + WRITE_BATCH])

    def count(self, workspace_id: str) -> int:
        """How many vectors a workspace has."""
        with self._reachable():
            return self._collection(workspace_id).count()

    def check(self) -> None:
        """Raise UnavailableError unless the store answers."""
        with self._reachable():
            self._client.count_collections()

    def close(self) -> None:
        """Let go of files and connections; other stores in the same folder go on."""
        self._client.close()

    def _collection(self, workspace_id: str) -> ChromaCollection:
        known = self._collections.get(workspace_id)
        if known:
            return known
        with self._opening:
            collection = self._client.get_or_create_collection(
                self._name(workspace_id), embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
            )
            return self._collections.setdefault(workspace_id, collection)

    def _name(self, workspace_id: str) -> str:
        """A name that Chroma accepts, whatever characters the workspace's id has."""
        return "knowledge-" + hashlib.sha256(f"{workspace_id}\n{self._model}".encode()).hexdigest()[:32]

    @contextmanager
    def _reachable(self) -> Iterator[None]:
        try:
            yield
        except NotFoundError as error:
            # Another process made the collection anew: the next call opens that one.
            self._collections.clear()
            raise UnavailableError("The vectors are being rebuilt; try again.") from error
        except (ChromaError, httpx.HTTPError, ConnectionError) as error:
            raise UnavailableError(f"The vector store does not answer: {error}") from error


def open_vectors(settings: Settings, model: str) -> VectorStore:
    """The vector store that the settings name: a Chroma server, or the data folder. Raises UnavailableError."""
    options = ChromaOptions(anonymized_telemetry=False)
    try:
        if not settings.chroma.url:
            local = chromadb.PersistentClient(settings.data_dir / "chroma", settings=options)
            return VectorStore(cast("Client", local), model)
        url = urlsplit(settings.chroma.url)
        secure = url.scheme == "https"
        port = url.port or (443 if secure else 80)
        remote = chromadb.HttpClient(url.hostname or "", port, ssl=secure, settings=options)
        return VectorStore(cast("Client", remote), model)
    except (ChromaError, httpx.HTTPError, ConnectionError, ValueError, OSError) as error:
        raise UnavailableError(f"The vector store cannot be opened: {error}") from error
