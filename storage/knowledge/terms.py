"""Text analysis for keyword search: words, stop words, Snowball stems."""

import re
from functools import lru_cache

import bm25s  # type: ignore[import-untyped]
import Stemmer  # type: ignore[import-not-found]

WORD = re.compile(r"\w+(?:'\w+)*")
STOPWORDS = frozenset(bm25s.stopwords.STOPWORDS_EN_PLUS)


def words(text: str) -> list[str]:
    """The lower-case words of a text, in order."""
    return WORD.findall(text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))


def terms(text: str) -> list[str]:
    """The stemmed words that carry a text's meaning, in order; what BM25 counts."""
    return [_stem(word) for word in words(text) if word not in STOPWORDS]


@lru_cache(maxsize=50_000)
def _stem(word: str) -> str:
    # A stemmer is not thread-safe, and making one is cheap.
    return str(Stemmer.Stemmer("english").stemWord(word))
