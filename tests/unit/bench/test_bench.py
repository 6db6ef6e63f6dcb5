"""The benchmarks run and say what DESIGN section 7 asks for; the numbers themselves are for quiet machines."""

from itertools import islice

import numpy as np
import pytest

from bench.figures import FIGURES
from bench.questions import filler, questions
from tests.support.word_vectors import WordEmbedder

DESIGN_NAMES = {
    "floor_ms",
    "turnaround_over_floor",
    "throughput_times_floor",
    "growth_turn_400",
    "growth_100k_chunks",
    "checkpoint_rows",
    "ingestion_over_raw",
    "start_seconds",
    "idle_rss_mb",
    "postgres_2_workers_over_1",
}


def test_the_figures_are_those_of_the_design() -> None:
    assert set(FIGURES) == DESIGN_NAMES


@pytest.mark.parametrize(
    ("name", "value", "verdict"),
    [
        ("turnaround_over_floor", 2.5, "ok"),
        ("turnaround_over_floor", 2.51, "NOT MET"),
        ("throughput_times_floor", 0.5, "ok"),
        ("throughput_times_floor", 0.49, "NOT MET"),
        ("checkpoint_rows", 0, "ok"),
        ("checkpoint_rows", 1, "NOT MET"),
        ("floor_ms", 5, ""),
    ],
)
def test_a_figure_says_whether_its_bound_holds(name: str, value: float, verdict: str) -> None:
    assert FIGURES[name].verdict(value) == verdict


def test_no_question_comes_twice() -> None:
    asked = list(islice(questions(), 20_000))
    assert len(set(asked)) == len(asked)


def test_made_up_entries_differ() -> None:
    assert len({piece.title for piece in filler(2_000)}) == 2_000


def test_word_vectors_have_length_one_and_bring_the_same_words_together() -> None:
    near, other, far = WordEmbedder().embed(["reset my password", "reset the password", "opening hours"])
    assert np.allclose(np.linalg.norm([near, other, far], axis=1), 1)
    assert near @ other > 0.5 > near @ far
