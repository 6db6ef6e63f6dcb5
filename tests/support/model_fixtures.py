"""Fixtures around the embedding model; a unit test module takes them by `pytest_plugins`."""

import pytest

from graph.triage.classifier import Classifier
from storage.embeddings.protocol import Embedder
from tests.support.shared_model import shared_classifier, shared_embedder


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    """The real embedding model, loaded once."""
    return shared_embedder()


@pytest.fixture(scope="session")
def classifier() -> Classifier:
    """Fitted once to the examples."""
    return shared_classifier()
