"""Hybrid ranking: dense and keyword scores of the same chunks, fused by a weighted sum."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from storage.knowledge.keyword_index import KeywordScores

AGREEING_TEXTS = 3
"""A chunk's best texts that count: one lucky phrasing is worth less than three that agree."""
AGREEMENT_WEIGHT = 0.5
FAQ_KEYWORD_WEIGHT = 0.05
PASSAGE_KEYWORD_WEIGHT = 0.15
"""Most words of a question say how it is asked; the words of a passage are its matter.

The weights were measured with bench/quality.py: reciprocal rank fusion loses 8 points of recall@1 on
question-answer knowledge, these gain on all kinds.
"""
KEYWORD_CANDIDATES = 10
"""Best chunks by keywords alone that may join the nearest ones."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A chunk that may answer a query, and how well it fits."""

    chunk_id: str
    dense: float
    """Cosine of the best text."""
    agreement: float
    """Mean cosine of the three best texts."""
    best_text: int
    """Which of the chunk's texts is the best."""
    keyword: float = 0.0
    """BM25 of the chunk's best text."""
    score: float = 0.0
    """Dense and keyword score fused."""


def dense_score(dense: float, agreement: float) -> float:
    """The score by embeddings alone: the best text, held back by the next best ones."""
    return (1 - AGREEMENT_WEIGHT) * dense + AGREEMENT_WEIGHT * agreement


def vector_id(chunk_id: str, text: int) -> str:
    """The id of the vector of a chunk's nth text."""
    return f"{chunk_id}:{text}"


def dense_candidates(cosines: Mapping[str, float], text_counts: Mapping[str, int]) -> list[Candidate]:
    """One candidate per chunk from cosines by vector id.

    `text_counts` is the number of texts by chunk. Texts that are not among the cosines are taken to be as far away as
    the farthest one that is.
    """
    farthest = min(cosines.values(), default=0.0)
    texts: dict[str, list[tuple[float, int]]] = {}
    for name, cosine in cosines.items():
        chunk_id, _, number = name.rpartition(":")
        texts.setdefault(chunk_id, []).append((cosine, int(number)))
    return [
        _candidate(chunk_id, found, text_counts.get(chunk_id, len(found)), farthest)
        for chunk_id, found in texts.items()
    ]


def _candidate(chunk_id: str, found: Sequence[tuple[float, int]], text_count: int, farthest: float) -> Candidate:
    best = sorted(found, key=lambda text: (-text[0], text[1]))[:AGREEING_TEXTS]
    missing = max(min(text_count, AGREEING_TEXTS) - len(best), 0)
    agreement = (sum(cosine for cosine, _ in best) + missing * farthest) / (len(best) + missing)
    return Candidate(chunk_id, best[0][0], agreement, best[0][1])


def fuse(candidates: Iterable[Candidate], scores: KeywordScores) -> list[Candidate]:
    """The candidates with keyword and fused scores: a keyword score counts by its share of the best chunk's."""
    return [
        replace(
            candidate,
            keyword=scores.score(candidate.chunk_id),
            score=dense_score(candidate.dense, candidate.agreement) + _keyword_part(scores, candidate.chunk_id),
        )
        for candidate in candidates
    ]


def keyword_candidates(fused: Sequence[Candidate], scores: KeywordScores) -> list[str]:
    """Chunks found by keywords alone that could still be among the first, if they were as near as the farthest."""
    if not fused:
        return []
    present = {candidate.chunk_id for candidate in fused}
    farthest = min(candidate.dense for candidate in fused)
    bar = sorted((candidate.score for candidate in fused), reverse=True)[:KEYWORD_CANDIDATES][-1]
    return [
        chunk_id
        for chunk_id in scores.top(KEYWORD_CANDIDATES)
        if chunk_id not in present and farthest + _keyword_part(scores, chunk_id) > bar
    ]


def _keyword_part(scores: KeywordScores, chunk_id: str) -> float:
    weight = PASSAGE_KEYWORD_WEIGHT if chunk_id in scores.index.passages else FAQ_KEYWORD_WEIGHT
    return weight * scores.score(chunk_id) / (scores.highest or 1.0)
