"""Factory: the embedder that the settings ask for, alone or behind its batches and its cache.

The libraries of both embedders are imported where one is chosen: each takes a second of the start and tens of
megabytes, also where it is not used.
"""

from storage.embeddings.batching import BatchingEmbedder
from storage.embeddings.caching import CachingEmbedder
from storage.embeddings.model_card import MODEL
from storage.embeddings.protocol import Embedder
from storage.settings import Settings

REMOTE_REQUESTS = 8
"""Requests to an embeddings endpoint at the same time."""


def load_embedder(settings: Settings) -> Embedder:
    """The embedder that the settings ask for. Blocking. Raises UnavailableError."""
    if settings.embeddings.provider == "openai":
        from storage.embeddings.openai import OpenAIEmbedder  # noqa: PLC0415 - see above

        return OpenAIEmbedder(settings)
    from storage.embeddings.local import LocalEmbedder  # noqa: PLC0415 - see above

    return LocalEmbedder(settings.data_dir, settings.embeddings.threads)


def model_name(settings: Settings) -> str:
    """The name of the model that `load_embedder` loads, known without loading it."""
    return MODEL if settings.embeddings.provider == "local" else settings.embeddings.model


def cached_embedder(settings: Settings, inner: Embedder) -> CachingEmbedder:
    """This embedder for a desk: batched, cached; a model of this process makes one run at a time."""
    concurrency = 1 if settings.embeddings.provider == "local" else REMOTE_REQUESTS
    return CachingEmbedder(BatchingEmbedder(inner, concurrency=concurrency))
