"""Chroma HTTP client with time-outs: gives up in time and lets go of its connections; chromadb's own does neither."""

from typing import cast
from urllib.parse import urlsplit

import httpx
from chromadb.api.collection_configuration import CreateCollectionConfiguration
from chromadb.api.fastapi import FastAPI
from chromadb.api.models.Collection import Collection
from chromadb.config import Settings as ChromaOptions
from chromadb.config import System
from chromadb.errors import error_types

CONNECT_SECONDS = 3.0


class ChromaHttpClient:
    """What the vector store needs of a server. Nothing is asked of it before the first call.

    Raises ChromaError, httpx.HTTPError. The library's bare exceptions for what is not Chroma's own answer (a proxy's,
    another program's) do not come through.
    """

    def __init__(self, url: str, timeout_seconds: float) -> None:
        address = urlsplit(url)
        secure = address.scheme == "https"
        self._system = System(
            ChromaOptions(
                anonymized_telemetry=False,
                chroma_api_impl="chromadb.api.fastapi.FastAPI",
                chroma_server_host=address.hostname or "",
                chroma_server_http_port=address.port or (443 if secure else 80),
                chroma_server_ssl_enabled=secure,
            )
        )
        self._api = self._system.instance(FastAPI)
        # The library has no setting for these: it waits for ever.
        self._session: httpx.Client = self._api._session  # noqa: SLF001 - the only way to its time-out, see above
        self._session.timeout = httpx.Timeout(timeout_seconds, connect=min(timeout_seconds, CONNECT_SECONDS))
        self._session.event_hooks = {"response": [_reject_foreign_responses]}
        self._system.start()

    def get_or_create_collection(
        self, name: str, *, embedding_function: None, configuration: CreateCollectionConfiguration
    ) -> Collection:
        """The collection of this name."""
        model = self._api.get_or_create_collection(name, configuration=configuration)
        return Collection(self._api, model, embedding_function)

    def count_collections(self) -> int:
        """How many there are: the cheapest question that needs the server's database."""
        return self._api.count_collections()

    def close(self) -> None:
        """Let go of every connection."""
        self._session.close()
        self._system.stop()


def _reject_foreign_responses(response: httpx.Response) -> None:
    """Raise httpx.HTTPError for an answer that the library would not understand."""
    response.read()
    try:
        answer = response.json()
    except ValueError as error:
        raise httpx.RemoteProtocolError(f"status {response.status_code}, and no answer of Chroma's") from error
    known = isinstance(answer, dict) and cast("dict[str, object]", answer).get("error") in error_types
    if response.is_error and not known:
        raise httpx.RemoteProtocolError(f"status {response.status_code}")
