"""Texts become the vectors that the published model gives, alone or in a batch."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from storage.embeddings.local import LocalEmbedder, _wheel_folder
from storage.embeddings.openai import OpenAIEmbedder
from storage.embeddings.opening import load_embedder
from storage.embeddings.protocol import Embedder
from storage.errors import UnavailableError
from storage.settings import Settings
from tests.simulators.openai.server import OpenAISimulator

pytest_plugins = ["tests.simulators.openai.fixtures"]

TEXTS = [
    "How do I reset my password?",
    "I forgot my password and need a new one",
    "What is the weather in Paris?",
    "word " * 400,
    "",
]


@pytest.fixture(scope="module")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    """The model itself, without the memory that other tests share."""
    return load_embedder(Settings(data_dir=tmp_path_factory.mktemp("embedder")))


def openai_settings(server: OpenAISimulator, **model: object) -> Settings:
    section = {"provider": "openai", "base_url": server.base_url}
    return Settings.model_validate({"embeddings": section, "model": {"retries": 0, "timeout_seconds": 2, **model}})


def test_texts_of_the_same_meaning_are_nearer_than_others(embedder: Embedder) -> None:
    reset, forgot, weather = embedder.embed(TEXTS[:3])
    assert reset @ forgot > 0.6
    assert reset @ weather < 0.2


def test_the_cosine_is_the_one_that_the_model_card_shows(embedder: Embedder) -> None:
    """The sentences and figures of the widget on the page of sentence-transformers/all-MiniLM-L6-v2."""
    happy, dog, person, sunny = embedder.embed(
        ["That is a happy person", "That is a happy dog", "That is a very happy person", "Today is a sunny day"]
    )
    assert [round(float(happy @ other), 3) for other in (dog, person, sunny)] == [0.695, 0.943, 0.257]


def test_a_batch_gives_the_vectors_of_its_texts_alone(embedder: Embedder) -> None:
    together = embedder.embed(TEXTS)
    alone = np.concatenate([embedder.embed([text]) for text in TEXTS])
    assert together.shape == (len(TEXTS), embedder.dimension)
    assert np.abs(together - alone).max() < 1e-4


def test_vectors_have_length_1(embedder: Embedder) -> None:
    assert np.allclose(np.linalg.norm(embedder.embed(TEXTS), axis=1), 1)


def test_no_texts_give_no_vectors(embedder: Embedder) -> None:
    assert embedder.embed([]).shape == (0, embedder.dimension)


def test_words_after_256_tokens_change_nothing(embedder: Embedder) -> None:
    long, longer = embedder.embed(["word " * 300, "word " * 300 + "banana"])
    assert np.allclose(long, longer)


def test_weights_that_are_not_the_official_ones_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    shutil.copy(_wheel_folder() / "tokenizer.json", folder)
    (folder / "model.safetensors").write_bytes(b"something else")
    with pytest.raises(UnavailableError, match="not the official ones"):
        LocalEmbedder(tmp_path / "data", folder=folder)
    assert not list((tmp_path / "data").rglob("*.onnx"))


def test_the_graph_is_kept_whole_and_used_again(tmp_path: Path) -> None:
    LocalEmbedder(tmp_path)
    (graph,) = (tmp_path / "models").iterdir()
    written = graph.stat().st_mtime_ns
    LocalEmbedder(tmp_path)
    assert [path.name for path in (tmp_path / "models").iterdir()] == [graph.name]
    assert graph.stat().st_mtime_ns == written


def test_an_endpoint_gives_vectors_of_length_1_in_the_order_asked(server: OpenAISimulator) -> None:
    embedder = load_embedder(openai_settings(server))
    vectors = embedder.embed([f"text number {number}" for number in range(300)])
    assert vectors.shape == (300, embedder.dimension)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)
    assert np.allclose(vectors[299], embedder.embed(["text number 299"])[0], atol=1e-6)
    assert len(server.calls) == 5  # three batches, the dimension, the single text


def test_an_endpoint_that_refuses_is_unavailable_in_plain_words(server: OpenAISimulator) -> None:
    server.key = "another key"
    with pytest.raises(UnavailableError, match="embeddings endpoint"):
        OpenAIEmbedder(openai_settings(server)).embed(["a text"])


def test_an_endpoint_that_is_down_is_unavailable() -> None:
    settings = Settings.model_validate(
        {"embeddings": {"provider": "openai", "base_url": "http://127.0.0.1:9/v1"}, "model": {"retries": 0}}
    )
    with pytest.raises(UnavailableError, match="embeddings endpoint"):
        load_embedder(settings).embed(["a text"])
