"""The embedder is the one that the settings ask for, and its libraries are loaded only where it is."""

import subprocess
import sys

import pytest

from storage.embeddings.lazy import LazyEmbedder
from storage.embeddings.openai import OpenAIEmbedder
from storage.embeddings.opening import REMOTE_REQUESTS, cached_embedder, load_embedder, model_name
from storage.settings import EmbeddingsSettings, Settings
from tests.support.word_vectors import WordEmbedder

REMOTE = Settings(embeddings=EmbeddingsSettings(provider="openai", model="text-embedding-3-small"))


def test_the_remote_embedder_is_loaded_where_it_is_asked_for() -> None:
    embedder = load_embedder(REMOTE)
    assert isinstance(embedder, OpenAIEmbedder)
    assert embedder.model == model_name(REMOTE) == "text-embedding-3-small"


def test_the_local_models_name_is_known_before_it_is_loaded() -> None:
    settings = Settings(embeddings=EmbeddingsSettings(model="of no use to the local one"))
    assert LazyEmbedder(settings).model == model_name(settings) == "all-MiniLM-L6-v2"


@pytest.mark.parametrize(("settings", "slots"), [(Settings(), 1), (REMOTE, REMOTE_REQUESTS)])
def test_a_model_of_this_process_makes_one_run_at_a_time(settings: Settings, slots: int) -> None:
    assert cached_embedder(settings, WordEmbedder())._inner._slots._value == slots


def test_opening_an_embedder_later_loads_no_library_now() -> None:
    """A small command starts without a second of imports."""
    heavy = {"onnx", "onnxruntime", "openai", "tokenizers"}
    code = f"import sys, storage.embeddings.lazy; print(*sorted({heavy} & sys.modules.keys()))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - our own
    assert ended.stdout.split() == []
