"""What is the same at every start is embedded once for a data folder, and anew when anything about it differs."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from storage.embedder import Vectors
from storage.kept_vectors import KeptVectors

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
    made = KeptVectors(first, tmp_path / "models").embed(TEXTS)
    assert (KeptVectors(second, tmp_path / "models").embed(TEXTS) == made).all()
    assert (first.asked, second.asked) == (2, 0)


def test_other_texts_and_other_models_are_not_taken_for_them(tmp_path: Path) -> None:
    KeptVectors(Counting(), tmp_path).embed(TEXTS)
    more, another = Counting(), Counting("another")
    KeptVectors(more, tmp_path).embed([*TEXTS, "Who are you?"])
    KeptVectors(another, tmp_path).embed(TEXTS)
    assert (more.asked, another.asked) == (3, 2)


def test_a_question_of_a_customer_leaves_no_file(tmp_path: Path) -> None:
    kept = KeptVectors(Counting(), tmp_path / "models")
    assert kept.embed(TEXTS[:1]).shape == (1, 3)
    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize("broken", [b"", b"not an array", b"\x93NUMPY\x01\x00"])
def test_a_broken_file_is_made_anew(tmp_path: Path, broken: bytes) -> None:
    made = KeptVectors(Counting(), tmp_path).embed(TEXTS)
    (path,) = tmp_path.iterdir()
    path.write_bytes(broken)
    assert (KeptVectors(Counting(), tmp_path).embed(TEXTS) == made).all()
    assert path.read_bytes() != broken


def test_where_nothing_can_be_written_the_vectors_are_made_at_every_start(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("no folder")
    kept = KeptVectors(Counting(), tmp_path / "models")
    assert kept.embed(TEXTS).shape == (2, 3)
    assert (kept.model, kept.dimension) == ("counting", 3)
