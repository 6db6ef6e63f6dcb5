"""Lexical signals for what embeddings are blind to: negation, reported problems, and actions of opposite sense."""

import re
from collections.abc import Iterable, Set
from itertools import chain

from storage.knowledge.terms import terms

NEGATION = (
    r"(?:no|not|never|without|(?:do|does|did|is|are|was|were|will|would|should)n't|wo(?:n't|nt)|(?:do|does|did|is)nt)"
)
NEGATED_PHRASE = re.compile(rf"\b{NEGATION}((?:\s+\w+){{1,3}})")
"""The negated words come right behind."""
IGNORANCE = re.compile(
    rf"\b{NEGATION}\s+(?:really |quite |even |yet )?"
    r"(?:know|knew|understand|sure|certain|aware|remember|recall|find|see|clear|seem|recogni[sz]e|forget|work|only)"
)
"""Negates no action: the customer does not know something, and asks."""
PROBLEM_REPORT = re.compile(
    r"\b(?:unable|(?:ca|could|did|does|do|has|have|is|wo|would)n'?t|cannot"
    r"|not (?:able|work|show|load|receiv|get|arriv)\w*|errors?|issues?|problems?|troubles?"
    r"|fail(?:s|ed|ing|ure)?|broken|wrong|stuck|missing|crash\w*|declined|denied)\b"
)
QUESTION = re.compile(
    r"\?|^(?:(?:hi|hello|hey|please|pls|so|and|ok|okay)\b\W*)*(?:how|what|whats|what's|when|where|which|who|whose|why|can|could"
    r"|(?:do|does|did)(?!\s+not|n)|is|are|am|was|were|will|would|should|shall|may|has|have)\b"
    r"|\b(?:how (?:do|can|to)|can i|can you|could you|is there|what is|tell me|help me|want to know)\b"
)
COMPLETED_ACTION = re.compile(r"\b(?:is|are|was|were|been|got|already)\s+(?:\w+\s+)?(\w{2,}ed)\W*$")
"""Ends with what was done: `my order is cancelled`."""
SUBORDINATE_CLAUSE = re.compile(r"\b(?:if|whether|that|which|who|when|where|how|what|because)\b")
OPPOSITES = (
    (
        "add create open make place book schedule confirm start activate",
        "remove delete close cancel stop end deactivate",
    ),
    ("enable", "disable"),
    ("block", "unblock"),
    ("lock", "unlock"),
    ("freeze", "unfreeze"),
    ("subscribe", "unsubscribe"),
    ("follow", "unfollow"),
    ("join invite", "leave remove"),
    ("login", "logout"),
    ("import", "export"),
    ("upload", "download"),
    ("receive", "send"),
    ("deposit", "withdraw"),
    ("buy", "sell return"),
    ("increase raise", "decrease reduce lower"),
    ("upgrade", "downgrade"),
    ("extend", "shorten"),
    ("show", "hide"),
    ("connect link", "disconnect unlink"),
    ("install", "uninstall"),
    ("accept approve", "reject decline refuse"),
    ("archive", "restore unarchive"),
    ("pause", "resume"),
    ("mute", "unmute"),
    ("incoming", "outgoing"),
    ("domestic", "international"),
    ("public", "private"),
)
"""Words of opposite sense: each on the left with each on the right."""


OTHER_ACTIONS = "change update modify reset refund ship deliver charge renew replace return exchange order"
"""What an entry may be about doing, besides the opposites."""


def _opposites() -> dict[str, frozenset[str]]:
    pairs = [(set(terms(left)), set(terms(right))) for left, right in OPPOSITES]
    both = [*pairs, *((right, left) for left, right in pairs)]
    every = set(chain.from_iterable(left for left, _ in both))
    return {term: frozenset().union(*(right for left, right in both if term in left)) for term in every}


OPPOSITES_OF = _opposites()
ACTION_TERMS = frozenset(terms(OTHER_ACTIONS)) | OPPOSITES_OF.keys()


def negated_actions(text: str) -> frozenset[str]:
    """The actions, as terms, that a statement says no to; a question denies nothing."""
    plain = _normalised(text)
    if QUESTION.search(plain):
        return frozenset()
    return _action_terms(NEGATED_PHRASE.findall(IGNORANCE.sub(" ", plain)))


def completed_actions(text: str) -> frozenset[str]:
    """The actions, as terms, that a statement says were done; a question states nothing."""
    plain = _normalised(text)
    if QUESTION.search(plain) or SUBORDINATE_CLAUSE.search(plain):
        return frozenset()
    return _action_terms(COMPLETED_ACTION.findall(plain))


def reports_problem(text: str) -> bool:
    """Whether the text reports that something does not work."""
    return bool(PROBLEM_REPORT.search(_normalised(text)))


def opposite_terms(asked: Iterable[str], known: Set[str]) -> list[str]:
    """The asked terms that `known` has only in their opposite sense."""
    return [term for term in asked if term not in known and not known.isdisjoint(OPPOSITES_OF.get(term, ()))]


def _action_terms(parts: Iterable[str]) -> frozenset[str]:
    return ACTION_TERMS.intersection(terms(" ".join(parts)))


def _normalised(text: str) -> str:
    return text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
