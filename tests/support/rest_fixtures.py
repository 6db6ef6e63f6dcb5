"""Fixtures around the REST interface; a test module takes them by `pytest_plugins`."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from graph.triage.classifier import Classifier
from storage.embeddings.protocol import Embedder
from tests.support.rest import Rest, open_rest
from tests.support.settings import settings_for
from tests.support.shared_model import shared_classifier


@pytest.fixture(scope="session")
def classifier() -> Classifier:
    """Fitted once."""
    return shared_classifier()


@pytest.fixture
async def rest(tmp_path: Path, embedder: Embedder, classifier: Classifier) -> AsyncIterator[Rest]:
    """The desk on SQLite; its jobs wait until `work()`."""
    async with open_rest(settings_for(tmp_path), embedder, classifier) as rest:
        yield rest


@pytest.fixture
async def rest_on_each(
    tmp_path: Path, database_url: str, embedder: Embedder, classifier: Classifier
) -> AsyncIterator[Rest]:
    """The same on each of the two databases, for what depends on them."""
    async with open_rest(settings_for(tmp_path, database_url), embedder, classifier) as rest:
        yield rest
