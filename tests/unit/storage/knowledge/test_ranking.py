"""Texts found by meaning and by words become one order of chunks."""

import pytest

from storage.knowledge.keyword_index import KeywordScores, build_index
from storage.knowledge.ranking import (
    Match,
    contenders,
    matches,
    scored,
)
from storage.records import Chunk, ChunkKind
from tests.unit.storage.knowledge.test_keyword_index import chunk


def words(query: str, *chunks: Chunk) -> KeywordScores:
    return build_index(1, chunks).scores(query)


def test_the_phrasings_of_an_entry_are_one_match_with_its_best_text() -> None:
    (found,) = matches({"a:0": 0.5, "a:2": 0.9, "a:1": 0.7}, {"a": 3})
    assert (found.chunk_id, found.dense, found.text) == ("a", 0.9, 2)
    assert found.agreement == pytest.approx(0.7)


def test_phrasings_that_were_not_found_count_as_the_farthest_found() -> None:
    found = {match.chunk_id: match for match in matches({"a:0": 0.9, "b:0": 0.3}, {"a": 20, "b": 1})}
    assert found["a"].agreement == pytest.approx((0.9 + 0.3 + 0.3) / 3)
    assert found["b"].agreement == 0.3


def test_three_phrasings_that_agree_beat_one_lucky_one() -> None:
    found = matches(
        {"lucky:0": 0.80, "lucky:1": 0.3, "lucky:2": 0.3, "firm:0": 0.75, "firm:1": 0.74, "firm:2": 0.73}, {}
    )
    assert max(scored(found, words("x")), key=lambda match: match.score).chunk_id == "firm"


def test_words_decide_between_equals_and_weigh_more_for_passages() -> None:
    faq = chunk("faq", "printer setup")
    page = chunk("page", "printer setup", kind=ChunkKind.PASSAGE)
    other = chunk("other", "something else")
    found = [Match(name, 0.5, 0.5, 0) for name in ("other", "faq", "page")]
    order = sorted(scored(found, words("printer", faq, page, other)), key=lambda match: -match.score)
    assert [match.chunk_id for match in order] == ["page", "faq", "other"]


def test_a_chunk_that_only_words_found_contends_if_it_could_win() -> None:
    page = chunk("page", "error E1234", kind=ChunkKind.PASSAGE)
    near = [Match(f"n{number}", 0.2, 0.2, 0, score=0.2) for number in range(10)]
    assert contenders(near, words("E1234", page)) == ["page"]
    strong = [Match(f"n{number}", 0.9 if number else 0.2, 0.9, 0, score=0.9) for number in range(10)]
    assert contenders(strong, words("E1234", page)) == []
