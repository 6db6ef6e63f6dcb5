"""Remote embeddings: any OpenAI-compatible endpoint."""

from collections.abc import Sequence

import numpy as np
from openai import OpenAI, OpenAIError

from storage.embeddings.protocol import Vectors
from storage.errors import UnavailableError
from storage.settings import Settings


class OpenAIEmbedder:
    """Any OpenAI-compatible `/embeddings` endpoint.

    It talks through the `openai` client, which `langchain-openai` brings along: its retries honour `Retry-After`, and
    its time limits and proxies are those of the chat model, so that an operator configures both in the same way.
    """

    BATCH = 128

    def __init__(self, settings: Settings) -> None:
        self.model = settings.embeddings.model
        self._client = OpenAI(
            api_key=settings.model.api_key.get_secret_value() or "none",
            base_url=settings.embeddings.base_url or None,
            timeout=settings.model.timeout_seconds,
            max_retries=settings.model.retries,
        )
        self._dimension = 0

    @property
    def dimension(self) -> int:
        """The length of a vector, asked for once."""
        if not self._dimension:
            self._dimension = self._request(["dimension"]).shape[1]
        return self._dimension

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One L2-normalised row per text: (n, dimension), float32. Raises UnavailableError."""
        if not texts:
            return np.empty((0, self.dimension), np.float32)
        batches = [self._request(texts[i : i + self.BATCH]) for i in range(0, len(texts), self.BATCH)]
        return np.concatenate(batches)

    def _request(self, texts: Sequence[str]) -> Vectors:
        try:
            # Some servers know no base64, which the client would ask for.
            answer = self._client.embeddings.create(model=self.model, input=list(texts), encoding_format="float")
            rows = [item.embedding for item in sorted(answer.data, key=lambda item: item.index)]
            vectors = np.array(rows, np.float32).reshape(len(texts), -1)
        except (OpenAIError, ValueError, TypeError, AttributeError) as error:
            raise UnavailableError(f"The embeddings endpoint gave no usable answer: {error}") from error
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if vectors.shape[1] == 0 or not np.all(np.isfinite(lengths) & (lengths > 0)):
            raise UnavailableError("The embeddings endpoint gave empty vectors.")
        unit: Vectors = vectors / lengths
        return unit
