"""Blocklist matching: whole words, whatever their case and Unicode form."""

import re
import unicodedata
from collections.abc import Iterable

WHOLE_WORD = r"(?<!\w){term}(?!\w)"


def find_blocked_term(text: str, terms: Iterable[str]) -> str:
    """The first blocked term that the text has as a whole word; else ""."""
    folded_text = _folded(text)
    for term in terms:
        words = _folded(term).split()
        pattern = WHOLE_WORD.format(term=r"\s+".join(map(re.escape, words)))
        if words and re.search(pattern, folded_text):
            return term
    return ""


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
