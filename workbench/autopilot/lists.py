"""Parsing of lists that an admin writes one a line: intents, and terms that no customer's message may have."""

import re
from collections.abc import Sequence

from storage.errors import InvalidError

INTENT_PATTERN = re.compile(r"[^\W\d_][\w -]{0,39}")
"""Letters first: the chat model chooses between these words."""
CATCH_ALL_INTENT = "other"
"""Where everything goes that is none of the others."""
MAX_INTENTS, MAX_TERMS, MAX_TERM_LENGTH = 30, 200, 100


def as_lines(words: Sequence[str]) -> str:
    """The list as it is written."""
    return "\n".join(words)


def parse_intents(text: str) -> tuple[str, ...]:
    """The intents, in lower case, each once. Raises InvalidError with what to mend."""
    intents = _distinct_lines(text.lower())
    for intent in intents:
        if not INTENT_PATTERN.fullmatch(intent):
            raise InvalidError(f"Intents: “{intent}” cannot be one. Up to 40 letters, digits, spaces, - and _.")
    if CATCH_ALL_INTENT not in intents:
        raise InvalidError(f"Intents: keep “{CATCH_ALL_INTENT}”. What fits none of the others goes there.")
    if len(intents) > MAX_INTENTS:
        raise InvalidError(f"Intents: {len(intents)} are too many to tell apart; {MAX_INTENTS} is the most.")
    return intents


def parse_blocked_terms(text: str) -> tuple[str, ...]:
    """The blocked terms, each once. Raises InvalidError with what to mend."""
    terms = _distinct_lines(text)
    for term in terms:
        if len(term) > MAX_TERM_LENGTH:
            raise InvalidError(f"Blocked terms: “{term[:20]} …” is longer than {MAX_TERM_LENGTH} characters.")
        if not any(map(str.isalnum, term)):
            raise InvalidError(f"Blocked terms: “{term}” has no letter or digit, so no message has it as a word.")
    if len(terms) > MAX_TERMS:
        raise InvalidError(f"Blocked terms: {len(terms)} are too many; {MAX_TERMS} is the most.")
    return terms


def _distinct_lines(text: str) -> tuple[str, ...]:
    lines = (" ".join(line.split()) for line in text.splitlines())
    return tuple(dict.fromkeys(line for line in lines if line))
