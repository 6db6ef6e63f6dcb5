"""Texts found by meaning and by words become one order of chunks."""

import pytest

from storage.knowledge.keyword_index import KeywordScores, build_index
from storage.knowledge.ranking import (
    FAQ_KEYWORD_WEIGHT,
    PASSAGE_KEYWORD_WEIGHT,
    Candidate,
    dense_candidates,
    dense_score,
    fuse,
    keyword_candidates,
    vector_id,
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


def test_a_tie_between_a_chunk_s_texts_goes_to_the_first_one() -> None:
    (found,) = dense_candidates({"a:2": 0.8, "a:1": 0.8, "a:0": 0.1}, {"a": 3})
    assert found.best_text == 1


def test_the_only_hit_agrees_with_itself() -> None:
    (found,) = dense_candidates({"a:0": 0.6}, {"a": 1})
    assert (found.dense, found.agreement) == (0.6, 0.6)
    assert dense_candidates({}, {"a": 1}) == []


def test_only_the_three_best_texts_count() -> None:
    (found,) = dense_candidates({"a:0": 0.9, "a:1": 0.6, "a:2": 0.3, "a:3": 0.0}, {"a": 4})
    assert found.agreement == pytest.approx(0.6)


def test_the_dense_score_lies_half_way_between_the_best_text_and_the_three_best() -> None:
    assert dense_score(0.8, 0.4) == pytest.approx(0.6)
    assert dense_score(0.8, 0.8) == pytest.approx(0.8)


def test_the_fused_score_adds_the_share_of_the_best_keyword_score_by_its_weight() -> None:
    faq, page = chunk("faq", "printer"), chunk("page", "printer setup guide", kind=ChunkKind.PASSAGE)
    scores = words("printer", faq, page)
    fused = {
        found.chunk_id: found for found in fuse([Candidate("faq", 0.8, 0.4, 0), Candidate("page", 0, 0, 0)], scores)
    }
    assert fused["faq"].keyword == scores.highest
    assert fused["faq"].score == pytest.approx(0.6 + FAQ_KEYWORD_WEIGHT)
    assert fused["page"].score == pytest.approx(PASSAGE_KEYWORD_WEIGHT * scores.score("page") / scores.highest)
    assert 0 < fused["page"].keyword < scores.highest


def test_without_known_words_the_dense_score_stays() -> None:
    (fused,) = fuse([Candidate("faq", 0.8, 0.4, 0)], words("xyzzy", chunk("faq", "printer")))
    assert fused.keyword == 0
    assert fused.score == pytest.approx(0.6)


def test_without_any_near_chunk_keywords_alone_find_none() -> None:
    assert keyword_candidates([], words("E1234", chunk("code", "error E1234"))) == []


def test_a_chunk_that_is_there_already_does_not_come_twice() -> None:
    page = chunk("page", "error E1234", kind=ChunkKind.PASSAGE)
    assert keyword_candidates([Candidate("page", 0.2, 0.2, 0, score=0.2)], words("E1234", page)) == []


def test_keywords_must_beat_the_tenth_best_and_not_only_reach_it() -> None:
    page = chunk("page", "error E1234", kind=ChunkKind.PASSAGE)
    scores = words("E1234", page)
    bar = 0.2 + PASSAGE_KEYWORD_WEIGHT

    def ranked(*first_ten: float) -> list[Candidate]:
        far = [Candidate(f"far{number}", 0.2, 0.2, 0, score=0.1) for number in range(5)]
        return [*far, *(Candidate(f"n{number}", 0.9, 0.9, 0, score=score) for number, score in enumerate(first_ten))]

    assert keyword_candidates(ranked(*[0.9] * 9, bar), scores) == []
    assert keyword_candidates(ranked(*[0.9] * 9, bar - 0.001), scores) == ["page"]
    assert keyword_candidates(ranked(*[0.9] * 10), scores) == []


def test_at_most_ten_chunks_come_by_keywords_alone() -> None:
    pages = [chunk(f"p{number}", "error E1234", kind=ChunkKind.PASSAGE) for number in range(12)]
    assert len(keyword_candidates([Candidate("near", 0.2, 0.2, 0, score=0.2)], words("E1234", *pages))) == 10


def test_a_vector_is_named_by_its_chunk_and_text_whatever_the_chunk_is_called() -> None:
    (found,) = dense_candidates({vector_id("a:1", 2): 0.5}, {})
    assert (found.chunk_id, found.best_text) == ("a:1", 2)


def test_a_chunk_of_unknown_size_has_the_texts_that_were_found() -> None:
    found = {one.chunk_id: one for one in dense_candidates({"a:0": 0.9, "a:1": 0.7, "b:0": 0.1}, {"b": 1})}
    assert found["a"].agreement == pytest.approx(0.8)


def test_fewer_texts_than_three_leave_no_gap_to_fill() -> None:
    found = {one.chunk_id: one for one in dense_candidates({"a:0": 0.9, "a:1": 0.7, "b:0": 0.1}, {"a": 2, "b": 2})}
    assert found["a"].agreement == pytest.approx(0.8)
    assert found["b"].agreement == pytest.approx(0.1)


def test_a_chunk_that_lies_far_off_needs_the_more_words() -> None:
    page = chunk("page", "error E1234", kind=ChunkKind.PASSAGE)
    scores = words("E1234", page)

    def found(farthest: float) -> list[str]:
        near = [Candidate(f"n{number}", 0.6, 0.6, 0, score=0.6) for number in range(9)]
        return keyword_candidates([*near, Candidate("far", farthest, farthest, 0, score=0.6)], scores)

    assert found(0.6 - PASSAGE_KEYWORD_WEIGHT + 0.01) == ["page"]
    assert found(0.6 - PASSAGE_KEYWORD_WEIGHT - 0.01) == []
