"""Texts for the desk under test: the demo's questions, never twice the same, and filler that resembles nothing."""

import csv
import itertools
import json
from collections.abc import Iterator
from importlib import resources
from random import Random

from storage.knowledge.documents.parsed import ParsedChunk
from storage.records import ChunkKind

OPENINGS = ("", "Hi, ", "Hello, ", "Quick question: ", "Hey there, ", "One more thing: ", "Good morning, ", "Sorry, ")
ENDINGS = (
    "",
    " Thanks!",
    " Any idea?",
    " Cheers",
    " It is for our team.",
    " I use the web app.",
    " Thank you!",
    " Hm.",
)
SYLLABLES = (
    "ba",
    "ce",
    "di",
    "fo",
    "gu",
    "ha",
    "je",
    "ki",
    "lo",
    "mu",
    "na",
    "pe",
    "qui",
    "ro",
    "su",
    "ta",
    "ve",
    "wo",
)


def faq() -> bytes:
    """The demo's FAQ file."""
    return (resources.files("demo") / "faq.csv").read_bytes()


def questions(seed: int = 0) -> Iterator[str]:
    """Questions that the demo's FAQ answers; no text comes twice, so that nothing remembered flatters a number."""
    asked = [row["question"] for row in csv.DictReader(faq().decode().splitlines(keepends=True))]
    ways = list(itertools.product(OPENINGS, ENDINGS, asked))
    Random(seed).shuffle(ways)  # noqa: S311 - no secret
    for number in itertools.count():
        for opening, ending, question in ways:
            again = f" ({word(Random(number))})" if number else ""  # noqa: S311 - no secret
            yield f"{opening}{question}{ending}{again}"


def word(random: Random) -> str:
    """A word that means nothing."""
    return "".join(random.choices(SYLLABLES, k=random.randint(2, 4)))


def filler(count: int, seed: int = 0) -> Iterator[ParsedChunk]:
    """FAQ entries of varied made-up words, with the lengths of real ones."""
    random = Random(seed)  # noqa: S311 - no secret
    vocabulary = [word(random) for _ in range(20_000)]
    # A few words are common and most are rare, as in any language.
    weights = [1 / (rank + 3) for rank in range(len(vocabulary))]
    cumulative = list(itertools.accumulate(weights))
    for number in range(count):
        words = random.choices(vocabulary, cum_weights=cumulative, k=random.randint(30, 70))
        yield ParsedChunk(ChunkKind.FAQ, f"{' '.join(words[:8])} {number}?", " ".join(words[8:]))


def filler_faq(count: int, seed: int) -> bytes:
    """The same as a file for the load job."""
    entries = [{"question": piece.title, "answer": piece.text} for piece in filler(count, seed)]
    return json.dumps(entries).encode()
