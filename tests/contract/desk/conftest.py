"""Several workers over the same rows, with the real embedding model."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from graph.triage.classifier import Classifier
from storage.embeddings.batching import BatchingEmbedder
from storage.embeddings.caching import CachingEmbedder
from storage.embeddings.protocol import Embedder
from tests.support.settings import settings_for
from tests.support.workers import Desks, load_classifier, open_desks


@pytest.fixture(scope="module")
def remembering(embedder: Embedder) -> CachingEmbedder:
    return CachingEmbedder(BatchingEmbedder(embedder))


@pytest.fixture(scope="module")
def classifier(remembering: CachingEmbedder) -> Classifier:
    return load_classifier(remembering)


@pytest.fixture
async def desks(
    tmp_path: Path, database_url: str, remembering: CachingEmbedder, classifier: Classifier
) -> AsyncIterator[Desks]:
    async with open_desks(settings_for(tmp_path, database_url), remembering, classifier) as desks:
        yield desks
