"""Confidence by logistic regression: evidence about the best hit becomes a calibrated probability that it is right."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from types import MappingProxyType

from graph.lexical_signals import (
    completed_actions,
    negated_actions,
    opposite_terms,
    reports_problem,
)
from storage.knowledge.ranking import dense_score
from storage.knowledge.terms import STOPWORDS, terms, words
from storage.records import Chunk, ChunkKind, Evidence, Hit

BACKGROUND_SIMILARITY = 0.3
"""The cosine that texts of one field usually have: stands for the hits that a small knowledge does not give."""
COMPARED_HITS = 4
"""Hits behind the first that make the background."""
MAX_READ_LENGTH = 3_000
"""Characters of an answer or passage that are searched for the question's words."""
CLOSE_MATCH, LOOSE_MATCH, TIE_MARGIN = 0.8, 0.5, 0.04

WARNINGS: Mapping[str, str] = MappingProxyType(
    {
        "opposite": "The question asks for the opposite of what the entry is about",
        "denial": "The question denies what the entry is about",
        "done": "The question says that it has happened already; the entry says how to do it",
        "trouble": "The question reports a problem that the entry does not mention",
        "passage": "From a longer document, not from a question with its answer",
    }
)
"""What an agent is told, by feature."""

# Fitted over open sets of questions, in scope and out of scope, by `python -m bench.fit_confidence`.
INTERCEPT = -4.785
COEFFICIENTS: Mapping[str, float] = MappingProxyType(
    {
        "dense": 4.335,
        "agreement": 5.986,
        "margin": 4.163,
        "background": -4.852,
        "coverage": 1.384,
        "elsewhere": -0.766,
        "opposite": -1.364,
        "denial": -2.500,
        "done": -2.500,
        "trouble": -0.584,
        "passage": 1.119,
    }
)


def assess(query: str, hits: Sequence[Hit]) -> tuple[float, Evidence]:
    """The calibrated probability, 0 to 1, that the first hit is right, and what it rests on; no hits give 0.

    The first hit is the one that the draft rests on; the others are what it is compared with.
    """
    if not hits or not words(query):
        return 0.0, Evidence(reasons=("Nothing in the knowledge is near this question.",))
    found = features(query, hits)
    logit = INTERCEPT + sum(COEFFICIENTS[name] * value for name, value in found.items())
    return 1 / (1 + math.exp(-logit)), Evidence(features=found, reasons=tuple(_reasons(query, hits, found)))


def features(query: str, hits: Sequence[Hit]) -> dict[str, float]:
    """What the probability rests on, by name; at least one hit."""
    best, others = hits[0], hits[1 : 1 + COMPARED_HITS]
    rivals = [_semantic_score(hit) for hit in others] + [BACKGROUND_SIMILARITY] * (COMPARED_HITS - len(others))
    asked = list(dict.fromkeys(terms(query)))
    known = _chunk_terms(best.chunk)
    missing = [term for term in asked if term not in known]
    elsewhere = max((sum(term in _chunk_terms(hit.chunk) for term in missing) for hit in others), default=0)
    phrasings = _phrasings(best.chunk)
    return {
        "dense": best.dense,
        "agreement": best.agreement,
        "margin": _semantic_score(best) - max(rivals),
        "background": sum(rivals) / COMPARED_HITS,
        "coverage": 1 - len(missing) / len(asked) if asked else 0.0,
        "elsewhere": elsewhere / len(asked) if asked else 0.0,
        "opposite": float(bool(opposite_terms(asked, known))),
        "denial": _said_by_query_alone(negated_actions, query, phrasings),
        "done": _said_by_query_alone(completed_actions, query, phrasings),
        "trouble": float(reports_problem(query) and not any(map(reports_problem, phrasings))),
        "passage": float(best.chunk.kind is ChunkKind.PASSAGE),
    }


def _said_by_query_alone(signal_of: Callable[[str], frozenset[str]], query: str, phrasings: Sequence[str]) -> float:
    """1 if the signal is in the query, about something that the phrasings are about, and in none of them."""
    subject_terms = frozenset(chain.from_iterable(map(terms, phrasings)))
    said = signal_of(query) & subject_terms
    return float(bool(said) and said.isdisjoint(chain.from_iterable(map(signal_of, phrasings))))


def _semantic_score(hit: Hit) -> float:
    return dense_score(hit.dense, hit.agreement)


def _phrasings(chunk: Chunk) -> tuple[str, ...]:
    return (chunk.title, *chunk.alternatives) if chunk.kind is ChunkKind.FAQ else (chunk.text[:MAX_READ_LENGTH],)


@lru_cache(maxsize=1024)
def _chunk_terms(chunk: Chunk) -> frozenset[str]:
    """The terms that a chunk has."""
    return frozenset(chain.from_iterable(terms(text[:MAX_READ_LENGTH]) for text in chunk.search_texts()))


def _reasons(query: str, hits: Sequence[Hit], found: Mapping[str, float]) -> Iterator[str]:
    """Plain words for the agent: first what speaks against the hit, then what speaks for it."""
    best = hits[0]
    if len(hits) > 1 and found["margin"] < TIE_MARGIN:
        yield f"Two entries fit almost equally well: “{best.chunk.title}” and “{hits[1].chunk.title}”"
    yield from (words for name, words in WARNINGS.items() if found[name])
    if best.dense < LOOSE_MATCH:
        yield "Only loosely related to what the knowledge says"
    unknown = _unknown_words(query, best.chunk)
    if unknown:
        yield f"Words not in the entry: {', '.join(unknown[:5])}"
    if best.dense >= CLOSE_MATCH:
        yield f"Close match to a known phrasing: “{_first_line(best.matched)}”"


def _unknown_words(query: str, chunk: Chunk) -> list[str]:
    known = _chunk_terms(chunk)
    asked = [word for word in dict.fromkeys(words(query)) if word not in STOPWORDS]
    return [word for word in asked if known.isdisjoint(terms(word))]


def _first_line(text: str) -> str:
    return text.partition("\n")[0][:120]
