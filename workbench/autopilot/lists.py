"""Lists that an admin writes one a line: intents, and terms that no customer's message may have."""

import re
from collections.abc import Sequence

from storage.errors import InvalidError

INTENT = re.compile(r"[^\W\d_][\w -]{0,39}")
"""Letters first: the chat model chooses between these words."""
REST = "other"
"""Where everything goes that is none of the others."""
MOST_INTENTS, MOST_TERMS, LONGEST_TERM = 30, 200, 100


def lines_of(words: Sequence[str]) -> str:
    """The list as it is written."""
    return "\n".join(words)


def intents_in(text: str) -> tuple[str, ...]:
    """The intents, in lower case, each once. Raises InvalidError with what to mend."""
    intents = _words(text.lower())
    for intent in intents:
        if not INTENT.fullmatch(intent):
            raise InvalidError(f"Intents: “{intent}” cannot be one. Up to 40 letters, digits, spaces, - and _.")
    if REST not in intents:
        raise InvalidError(f"Intents: keep “{REST}”. What fits none of the others goes there.")
    if len(intents) > MOST_INTENTS:
        raise InvalidError(f"Intents: {len(intents)} are too many to tell apart; {MOST_INTENTS} is the most.")
    return intents


def terms_in(text: str) -> tuple[str, ...]:
    """The blocked terms, each once. Raises InvalidError with what to mend."""
    terms = _words(text)
    for term in terms:
        if len(term) > LONGEST_TERM:
            raise InvalidError(f"Blocked terms: “{term[:20]} …” is longer than {LONGEST_TERM} characters.")
        if not any(map(str.isalnum, term)):
            raise InvalidError(f"Blocked terms: “{term}” has no letter or digit, so no message has it as a word.")
    if len(terms) > MOST_TERMS:
        raise InvalidError(f"Blocked terms: {len(terms)} are too many; {MOST_TERMS} is the most.")
    return terms


def _words(text: str) -> tuple[str, ...]:
    lines = (" ".join(line.split()) for line in text.splitlines())
    return tuple(dict.fromkeys(line for line in lines if line))
