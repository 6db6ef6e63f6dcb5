"""Words find what embeddings miss."""

import pytest

from storage.knowledge.keyword_index import build_index
from storage.knowledge.terms import terms, words
from storage.records import Chunk, ChunkKind


def chunk(name: str, title: str, text: str = "", *alternatives: str, kind: ChunkKind = ChunkKind.FAQ) -> Chunk:
    return Chunk(
        id=name, workspace_id="w", document_id="d", kind=kind, title=title, text=text, alternatives=alternatives
    )


CHUNKS = [
    chunk("reset", "How do I reset my password?", "Open the settings.", "I forgot my passphrase"),
    chunk("code", "What does error E1234 mean?", "The disk is full."),
    chunk("page", "Setup", "Install the printer driver.", kind=ChunkKind.PASSAGE),
]


def test_a_rare_word_finds_its_chunk() -> None:
    scores = build_index(1, CHUNKS).scores("e1234")
    assert scores.score("code") == scores.highest > 0
    assert scores.score("reset") == scores.score("page") == 0
    assert scores.top(2) == ["code"]


def test_an_alternative_finds_its_entry_and_other_forms_of_a_word_count() -> None:
    scores = build_index(1, CHUNKS).scores("forgetting passphrases")
    assert scores.top(1) == ["reset"]


@pytest.mark.parametrize("query", ["", "how do I", "xyzzy", "¿?"])
def test_a_query_without_known_words_scores_nothing(query: str) -> None:
    scores = build_index(1, CHUNKS).scores(query)
    assert scores.highest == 0
    assert scores.top(5) == []


@pytest.mark.parametrize("chunks", [[], [chunk("stop", "the", "of")]])
def test_knowledge_without_words_scores_nothing(chunks: list[Chunk]) -> None:
    scores = build_index(1, chunks).scores("password")
    assert scores.highest == 0
    assert scores.score("stop") == 0


def test_a_chunk_that_came_later_scores_nothing() -> None:
    assert build_index(1, CHUNKS).scores("password").score("newer") == 0


def test_terms_are_stems_without_the_words_that_carry_no_meaning() -> None:
    assert terms("How can I change the E-mail addresses?") == ["chang", "e", "mail", "address"]


def test_a_chunk_scores_by_its_best_text() -> None:
    alone = build_index(1, [chunk("a", "zebra", "", "lion")]).scores("zebra")
    assert alone.values.shape == (1,)
    assert alone.score("a") == alone.highest > 0


def test_a_word_asked_twice_counts_once() -> None:
    index = build_index(1, CHUNKS)
    assert index.scores("password password").highest == index.scores("password").highest


def test_every_known_word_adds_to_the_score() -> None:
    index = build_index(1, CHUNKS)
    one, both = index.scores("printer"), index.scores("printer driver")
    assert both.score("page") == pytest.approx(one.score("page") + index.scores("driver").score("page"))


@pytest.mark.parametrize(
    ("limit", "found"), [(1, ["high"]), (2, ["high", "low"]), (3, ["high", "low"]), (9, ["high", "low"])]
)
def test_the_top_are_the_highest_above_nothing(limit: int, found: list[str]) -> None:
    chunks = [chunk("none", "giraffe"), chunk("low", "zebra lion tiger bear wolf"), chunk("high", "zebra")]
    assert sorted(build_index(1, chunks).scores("zebra").top(limit)) == found


def test_the_index_knows_how_many_texts_each_chunk_has_and_which_are_passages() -> None:
    index = build_index(7, CHUNKS)
    assert index.version == 7
    assert index.text_counts == {"reset": 3, "code": 2, "page": 1}
    assert index.passages == {"page"}
    assert index.positions == {"reset": 0, "code": 1, "page": 2}


def test_curly_and_straight_apostrophes_make_one_word() -> None:
    assert words("Don\u2019t") == words("don't") == ["don't"]
