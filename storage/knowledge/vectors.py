"""Vector store in Chroma: one collection per workspace and embedding model, cosine space, never its own embeddings."""

import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Protocol, TypeVar, cast

import chromadb
import httpx
import numpy as np
from chromadb.api.collection_configuration import CreateCollectionConfiguration
from chromadb.api.models.Collection import Collection as ChromaCollection
from chromadb.api.types import Metadata
from chromadb.config import Settings as ChromaOptions
from chromadb.errors import ChromaError, NotFoundError
from numpy.typing import NDArray

from storage.embeddings.protocol import Vectors
from storage.errors import UnavailableError
from storage.knowledge.chroma_client import ChromaHttpClient
from storage.settings import Settings

WRITE_BATCH = 1000
"""Vectors in one request; Chroma's own limit is about 5,000."""
READ_BATCH = 10_000
"""Names in one request."""
COSINE: CreateCollectionConfiguration = {"hnsw": {"space": "cosine"}}
Result = TypeVar("Result")


class ChromaClient(Protocol):
    """What is used of Chroma: the embedded client, or a server's."""

    def get_or_create_collection(
        self, name: str, *, embedding_function: None, configuration: CreateCollectionConfiguration
    ) -> ChromaCollection:
        """The collection of this name."""

    def count_collections(self) -> int:
        """How many there are."""

    def close(self) -> None:
        """Let go of files and connections."""


class VectorStore:
    """The vectors of every workspace. Blocking and thread-safe; every method may raise UnavailableError.

    A vector's id is `<chunk id>:<number>`, so that a query needs no metadata to know its chunk.
    """

    def __init__(self, client: ChromaClient, model: str) -> None:
        self._client = client
        self._model = model
        self._collections: dict[str, ChromaCollection] = {}
        self._opening = Lock()

    def upsert(self, workspace_id: str, ids: Sequence[str], vectors: Vectors, documents: Sequence[str]) -> None:
        """Write vectors (n, dimension) under their ids, each with its document's id; the same id again replaces."""

        def write(collection: ChromaCollection) -> None:
            for start in range(0, len(ids), WRITE_BATCH):
                part = slice(start, start + WRITE_BATCH)
                owners: list[Metadata] = [{"document": document_id} for document_id in documents[part]]
                collection.upsert(ids=list(ids[part]), embeddings=vectors[part], metadatas=owners)

        self._on_collection(workspace_id, write)

    def query(self, workspace_id: str, vector: NDArray[np.float32], limit: int) -> dict[str, float]:
        """Cosine by vector id of the nearest vectors, nearest first."""
        found = self._on_collection(
            workspace_id,
            lambda collection: collection.query(
                query_embeddings=vector.reshape(1, -1), n_results=limit, include=["distances"]
            ),
        )
        distances = (found["distances"] or [[]])[0]
        return {name: 1.0 - distance for name, distance in zip(found["ids"][0], distances, strict=True)}

    def cosines(self, workspace_id: str, vector: NDArray[np.float32], ids: Sequence[str]) -> dict[str, float]:
        """Cosine by id for these vectors; unknown ids are left out."""
        found = self._on_collection(
            workspace_id, lambda collection: collection.get(ids=list(ids), include=["embeddings"])
        )
        embeddings = found["embeddings"]
        if embeddings is None or not found["ids"]:
            return {}
        matrix = np.asarray(embeddings, np.float32)
        norms = np.linalg.norm(matrix, axis=1)
        return dict(zip(found["ids"], (matrix @ vector / norms).tolist(), strict=True))

    def owners(self, workspace_id: str) -> dict[str, str]:
        """The document's id by vector id, for every vector."""

        def read(collection: ChromaCollection) -> dict[str, str]:
            owners: dict[str, str] = {}
            while True:
                page = collection.get(include=["metadatas"], limit=READ_BATCH, offset=len(owners))
                metadatas = page["metadatas"] or []
                owners |= {
                    name: str(data["document"]) for name, data in zip(page["ids"], metadatas, strict=True) if data
                }
                if len(page["ids"]) < READ_BATCH:
                    return owners

        return self._on_collection(workspace_id, read)

    def remove(self, workspace_id: str, document_id: str) -> None:
        """Delete the vectors of one document."""
        self._on_collection(workspace_id, lambda collection: collection.delete(where={"document": document_id}))

    def prune(self, workspace_id: str, stale: Collection[str]) -> None:
        """Delete the vectors with these ids."""
        names = list(stale)

        def delete(collection: ChromaCollection) -> None:
            for start in range(0, len(names), WRITE_BATCH):
                collection.delete(ids=names[start : start + WRITE_BATCH])

        self._on_collection(workspace_id, delete)

    def count(self, workspace_id: str) -> int:
        """How many vectors a workspace has."""
        return self._on_collection(workspace_id, lambda collection: collection.count())

    def check(self) -> None:
        """Raise UnavailableError unless the store answers."""
        with _errors_translated():
            self._client.count_collections()

    def close(self) -> None:
        """Let go of files and connections; other stores in the same folder go on."""
        self._client.close()

    def _on_collection(self, workspace_id: str, work: Callable[[ChromaCollection], Result]) -> Result:
        with _errors_translated():
            try:
                return work(self._collection(workspace_id))
            except NotFoundError:
                # The collection was made anew by another process, or with another folder behind the server.
                self._collections.pop(workspace_id, None)
                return work(self._collection(workspace_id))

    def _collection(self, workspace_id: str) -> ChromaCollection:
        known = self._collections.get(workspace_id)
        if known:
            return known
        with self._opening:
            collection = self._client.get_or_create_collection(
                self._name(workspace_id), embedding_function=None, configuration=COSINE
            )
            return self._collections.setdefault(workspace_id, collection)

    def _name(self, workspace_id: str) -> str:
        """A name that Chroma accepts, whatever characters the workspace's id has."""
        return "knowledge-" + hashlib.sha256(f"{workspace_id}\n{self._model}".encode()).hexdigest()[:32]


@contextmanager
def _errors_translated() -> Iterator[None]:
    try:
        yield
    except (ChromaError, httpx.HTTPError, ConnectionError) as error:
        raise UnavailableError(f"The vector store does not answer: {error or type(error).__name__}") from error


def open_vectors(settings: Settings, model: str) -> VectorStore:
    """The vector store that the settings name: a Chroma server, or the data folder. Raises UnavailableError."""
    if settings.chroma.url:
        return _on_server(settings.chroma.url, settings.chroma.timeout_seconds, model)
    options = ChromaOptions(anonymized_telemetry=False)
    try:
        local = chromadb.PersistentClient(settings.data_dir / "chroma", settings=options)
    except (ChromaError, ValueError, OSError) as error:
        raise UnavailableError(f"The vectors cannot be opened: {error}") from error
    return VectorStore(cast("ChromaClient", local), model)


def _on_server(url: str, timeout_seconds: float, model: str) -> VectorStore:
    vectors = VectorStore(ChromaHttpClient(url, timeout_seconds), model)
    try:
        vectors.check()
    except UnavailableError as error:
        vectors.close()
        raise UnavailableError(
            f"the Chroma server at {url} does not answer ({error.__cause__ or error}): "
            "start it, or correct `chroma.url` or DESKHAND_CHROMA__URL"
        ) from error
    return vectors
