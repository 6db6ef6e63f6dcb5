"""What is the same at every start is embedded once for a data folder, and anew when anything about it differs."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from storage.embeddings.file_cache import cached_vectors
from storage.embeddings.protocol import Vectors

TEXTS = ["How do I log in?", "Where is my parcel?"]


class Counting:
    """Says how many texts it was asked for."""

    dimension = 3

    def __init__(self, model: str = "counting") -> None:
        self.model, self.asked = model, 0

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.asked += len(texts)
        return np.array([[len(text), self.asked, 0.5] for text in texts], np.float32)


def test_the_second_start_reads_what_the_first_one_made(tmp_path: Path) -> None:
    first, second = Counting(), Counting()
    made = cached_vectors(first, TEXTS, tmp_path / "models")
    assert (cached_vectors(second, TEXTS, tmp_path / "models") == made).all()
    assert (first.asked, second.asked) == (2, 0)


def test_other_texts_and_other_models_are_not_taken_for_them(tmp_path: Path) -> None:
    cached_vectors(Counting(), TEXTS, tmp_path)
    more, another = Counting(), Counting("another")
    cached_vectors(more, [*TEXTS, "Who are you?"], tmp_path)
    cached_vectors(another, TEXTS, tmp_path)
    assert (more.asked, another.asked) == (3, 2)


@pytest.mark.parametrize("broken", [b"", b"not an array", b"\x93NUMPY\x01\x00"])
def test_a_broken_file_is_made_anew(tmp_path: Path, broken: bytes) -> None:
    made = cached_vectors(Counting(), TEXTS, tmp_path)
    (path,) = tmp_path.iterdir()
    path.write_bytes(broken)
    assert (cached_vectors(Counting(), TEXTS, tmp_path) == made).all()
    assert path.read_bytes() != broken


def test_where_nothing_can_be_written_the_vectors_are_made_at_every_start(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("no folder")
    assert cached_vectors(Counting(), TEXTS, tmp_path / "models").shape == (2, 3)


def test_vectors_of_an_older_graph_are_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cached_vectors(Counting(), TEXTS, tmp_path)
    monkeypatch.setattr("storage.embeddings.file_cache.REVISION", "the next one")
    newer = Counting()
    cached_vectors(newer, TEXTS, tmp_path)
    assert newer.asked == len(TEXTS)
