"""Texts found by meaning and by words become one order of chunks."""

import pytest

from storage.knowledge.keyword_index import KeywordScores, build_index
from storage.knowledge.ranking import (
    Candidate,
    dense_candidates,
    fuse,
    keyword_candidates,
)
from storage.records import Chunk, ChunkKind
from tests.unit.storage.knowledge.test_keyword_index import chunk


def words(query: str, *chunks: Chunk) -> KeywordScores:
    return build_index(1, chunks).scores(query)


def test_the_phrasings_of_an_entry_are_one_match_with_its_best_text() -> None:
    (found,) = dense_candidates({"a:0": 0.5, "a:2": 0.9, "a:1": 0.7}, {"a": 3})
    assert (found.chunk_id, found.dense, found.best_text) == ("a", 0.9, 2)
    assert found.agreement == pytest.approx(0.7)


def test_phrasings_that_were_not_found_count_as_the_farthest_found() -> None:
    found = {
        candidate.chunk_id: candidate for candidate in dense_candidates({"a:0": 0.9, "b:0": 0.3}, {"a": 20, "b": 1})
    }
    assert found["a"].agreement == pytest.approx((0.9 + 0.3 + 0.3) / 3)
    assert found["b"].agreement == 0.3


def test_three_phrasings_that_agree_beat_one_lucky_one() -> None:
    found = dense_candidates(
        {"lucky:0": 0.80, "lucky:1": 0.3, "lucky:2": 0.3, "firm:0": 0.75, "firm:1": 0.74, "firm:2": 0.73}, {}
    )
    assert max(fuse(found, words("x")), key=lambda candidate: candidate.score).chunk_id == "firm"


def test_words_decide_between_equals_and_weigh_more_for_passages() -> None:
    faq = chunk("faq", "printer setup")
    page = chunk("page", "printer setup", kind=ChunkKind.PASSAGE)
    other = chunk("other", "something else")
    found = [Candidate(name, 0.5, 0.5, 0) for name in ("other", "faq", "page")]
    order = sorted(fuse(found, words("printer", faq, page, other)), key=lambda candidate: -candidate.score)
    assert [candidate.chunk_id for candidate in order] == ["page", "faq", "other"]


def test_a_chunk_that_only_words_found_contends_if_it_could_win() -> None:
    page = chunk("page", "error E1234", kind=ChunkKind.PASSAGE)
    near = [Candidate(f"n{number}", 0.2, 0.2, 0, score=0.2) for number in range(10)]
    assert keyword_candidates(near, words("E1234", page)) == ["page"]
    strong = [Candidate(f"n{number}", 0.9 if number else 0.2, 0.9, 0, score=0.9) for number in range(10)]
    assert keyword_candidates(strong, words("E1234", page)) == []
