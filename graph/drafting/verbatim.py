"""Extractive answering: the draft without a chat model, in the knowledge's own words."""

import re
from collections.abc import Sequence
from itertools import pairwise

from graph.confidence import assess
from graph.drafting.authors import VERBATIM
from storage.knowledge.terms import terms
from storage.records import (
    ChunkKind,
    Draft,
    Hit,
    Sentence,
)

MIN_CONFIDENCE = 0.1
"""Below this probability nothing fits."""
MIN_FOLLOW_UP_SIMILARITY = 0.35
"""Cosine from which another entry may be what the customer asks next."""
FOLLOW_UP_LIMIT = 3
SHOWN_CANDIDATES = 3
MAX_EXCERPT_LENGTH = 600
"""Characters of a passage that make a readable reply."""
SENTENCE_BOUNDARY = re.compile(r"\n\s*\n|(?<=[.!?])\s+(?=[\"'(\[*_#A-Z0-9-])|\n(?=\s*(?:[-*+]|\d+[.)])\s)")


def verbatim_draft(question: str, hits: Sequence[Hit]) -> Draft:
    """The best hit's answer word for word, cited; `can_answer` is false when nothing fits well enough.

    Then the citations are the nearest candidates, for the agent.
    """
    probability, evidence = assess(question, hits)
    if probability < MIN_CONFIDENCE or not hits[0].chunk.text:
        return Draft(citations=tuple(hit.citation() for hit in hits[:SHOWN_CANDIDATES]), model=VERBATIM)
    best = hits[0]
    text = best.chunk.text if best.chunk.kind is ChunkKind.FAQ else excerpt(question, best.chunk.text)
    return Draft(
        text=text,
        sentences=(Sentence(text=text, chunk_ids=(best.chunk.id,)),),
        citations=(best.citation(),),
        can_answer=True,
        confidence=probability,
        evidence=evidence,
        follow_ups=_follow_ups(hits),
        model=VERBATIM,
    )


def excerpt(question: str, passage: str) -> str:
    """The stretch of whole sentences, up to 600 characters, that has the most words of the question."""
    if len(passage) <= MAX_EXCERPT_LENGTH:
        return passage
    asked = set(terms(question))
    spans = _sentence_spans(passage)
    stretches = [
        (first, last)
        for start, (first, _) in enumerate(spans)
        for _, last in spans[start:]
        if last - first <= MAX_EXCERPT_LENGTH or (first, last) == spans[start]
    ]
    # Of those with the most words the longest one, so that a reply is not torn from its context.
    first, last = max(stretches, key=lambda span: (len(asked & set(terms(passage[slice(*span)]))), span[1] - span[0]))
    return passage[first:last].strip()


def _sentence_spans(passage: str) -> list[tuple[int, int]]:
    """Where sentences, list items and paragraphs begin and end; code between fences is one of them."""
    fences = [match.span() for match in re.finditer(r"```.*?(?:```|\Z)", passage, re.DOTALL)]
    cuts = [match.end() for match in SENTENCE_BOUNDARY.finditer(passage)]
    outside = [cut for cut in cuts if not any(first < cut < last for first, last in fences)]
    edges = sorted({0, *outside, len(passage)})
    return list(pairwise(edges))


def _follow_ups(hits: Sequence[Hit]) -> tuple[str, ...]:
    titles = (
        hit.chunk.title for hit in hits[1:] if hit.chunk.kind is ChunkKind.FAQ and hit.dense >= MIN_FOLLOW_UP_SIMILARITY
    )
    return tuple(title for title in dict.fromkeys(titles) if title != hits[0].chunk.title)[:FOLLOW_UP_LIMIT]
