"""Texts found by meaning and by words become one order of chunks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from storage.knowledge.keyword_index import KeywordScores

PHRASINGS = 3
"""A chunk's best texts that count: one lucky phrasing is worth less than three that agree."""
AGREEMENT_WEIGHT = 0.5
FAQ_KEYWORD_WEIGHT = 0.05
PASSAGE_KEYWORD_WEIGHT = 0.15
"""Most words of a question say how it is asked; the words of a passage are its matter.

The weights were measured with bench/quality.py: reciprocal rank fusion loses 8 points of recall@1 on
question-answer knowledge, these gain on all kinds.
"""
KEYWORDS = 10
"""Best chunks by words alone that may join the nearest ones."""


@dataclass(frozen=True, slots=True)
class Match:
    """How well one chunk fits a query."""

    chunk_id: str
    dense: float
    """Cosine of the best text."""
    agreement: float
    """Mean cosine of the three best texts."""
    text: int
    """Which of the chunk's texts is the best."""
    keyword: float = 0.0
    """BM25 of the chunk's best text."""
    score: float = 0.0

    @property
    def meaning(self) -> float:
        """The score without words."""
        return blended(self.dense, self.agreement)


def blended(dense: float, agreement: float) -> float:
    """The score by meaning alone: the best text, held back by the next best ones."""
    return (1 - AGREEMENT_WEIGHT) * dense + AGREEMENT_WEIGHT * agreement


def vector_id(chunk_id: str, text: int) -> str:
    """The id of the vector of a chunk's nth text."""
    return f"{chunk_id}:{text}"


def matches(cosines: Mapping[str, float], sizes: Mapping[str, int]) -> list[Match]:
    """One match per chunk from cosines by vector id.

    `sizes` is the number of texts by chunk. Texts that are not among the cosines are taken to be as far away as the
    farthest one that is.
    """
    farthest = min(cosines.values(), default=0.0)
    texts: dict[str, list[tuple[float, int]]] = {}
    for name, cosine in cosines.items():
        chunk_id, _, number = name.rpartition(":")
        texts.setdefault(chunk_id, []).append((cosine, int(number)))
    return [_match(chunk_id, found, sizes.get(chunk_id, len(found)), farthest) for chunk_id, found in texts.items()]


def _match(chunk_id: str, found: Sequence[tuple[float, int]], size: int, farthest: float) -> Match:
    best = sorted(found, key=lambda text: (-text[0], text[1]))[:PHRASINGS]
    missing = max(min(size, PHRASINGS) - len(best), 0)
    agreement = (sum(cosine for cosine, _ in best) + missing * farthest) / (len(best) + missing)
    return Match(chunk_id, best[0][0], agreement, best[0][1])


def scored(found: Iterable[Match], scores: KeywordScores) -> list[Match]:
    """The matches with their keyword and fused scores: words count by their share of the best chunk's."""
    highest = scores.highest or 1.0
    return [
        replace(
            match,
            keyword=(keyword := scores.of(match.chunk_id)),
            score=match.meaning + _keyword_weight(scores, match.chunk_id) * keyword / highest,
        )
        for match in found
    ]


def _keyword_weight(scores: KeywordScores, chunk_id: str) -> float:
    return PASSAGE_KEYWORD_WEIGHT if chunk_id in scores.index.passages else FAQ_KEYWORD_WEIGHT


def contenders(ranked: Sequence[Match], scores: KeywordScores) -> list[str]:
    """Chunks found by words alone that could still be among the first, if they were as near as the farthest found."""
    if len(ranked) == 0:
        return []
    present = {match.chunk_id for match in ranked}
    farthest = min(match.dense for match in ranked)
    bar = sorted((match.score for match in ranked), reverse=True)[:KEYWORDS][-1]
    highest = scores.highest or 1.0
    return [
        chunk_id
        for chunk_id in scores.best(KEYWORDS)
        if chunk_id not in present
        and farthest + _keyword_weight(scores, chunk_id) * scores.of(chunk_id) / highest > bar
    ]
