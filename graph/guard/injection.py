"""Prompt-injection detection: weighted rules and similarity to attacks, for customers' texts and retrieved passages."""

import base64
import binascii
import codecs
import hashlib
import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from graph.guard.injection_rules import CUSTOMER_RULES, PLANTED_RULES, InjectionRule
from storage.records import Draft

BLOCK_SCORE = 1.0
"""A text is held when its score reaches this."""
SIMILARITY_WEIGHT = 1.0
DECISIVE_SIMILARITY = 0.9
"""From here on similarity alone is enough: ordinary customers of five open sets stay below 0.82."""
NEGLIGIBLE_SIMILARITY = 0.12
"""Below this similarity, an ordinary text may carry one of the weaker phrases."""

# Letters of other scripts that look Latin, after lower-casing and compatibility normalisation.
LOOK_ALIKES = str.maketrans("авеёкмнорстухіјѕԁɡһαβεικνορτυχι", "abeekmhopctyxijsdghabeikvoptuxi")
LEET = str.maketrans("013457@$", "oieastas")
INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\U000e0000-\U000e007f]"
)
SPACED_LETTERS = re.compile(r"(?<![a-z])(?:[a-z][ .\-_*]){5,80}[a-z](?![a-z])")
BLOB = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{24,4000}={0,2}")
HEXADECIMAL = re.compile(r"(?<![0-9a-f])(?:[0-9a-f]{2}[ :]?){16,2000}(?![0-9a-f])", re.IGNORECASE)
MAX_BLOBS = 8
MIN_PRINTABLE_SHARE = 0.9
"""Share of printable characters from which a decoded blob is text."""


class InjectionScore(NamedTuple):
    """How much a text looks like an order to the assistant; held from BLOCK on."""

    score: float
    reason: str
    """Plain words for the agent; empty when nothing was found."""


def injection_score(text: str, similarity: float) -> InjectionScore:
    """Weigh a customer's text by the rules and by its similarity to attacks (`TextScores.injection`, 0 to 1)."""
    found = _matched_rules(text, CUSTOMER_RULES)
    weight = sum(rule.weight for rule in found)
    if similarity >= DECISIVE_SIMILARITY:
        reason = found[0].reason if found else "It reads like known attempts to give the assistant new orders"
        return InjectionScore(max(BLOCK_SCORE, weight + similarity), reason)
    if not found:
        return InjectionScore(similarity, "")
    if max(rule.weight for rule in found) < BLOCK_SCORE:
        weight += SIMILARITY_WEIGHT * similarity if similarity > NEGLIGIBLE_SIMILARITY else 0.0
    return InjectionScore(weight, found[0].reason)


def has_planted_instructions(text: str) -> bool:
    """Whether a retrieved passage carries orders to the assistant; advisory: it adds a reason, it removes nothing."""
    return sum(rule.weight for rule in _matched_rules(text, (*CUSTOMER_RULES, *PLANTED_RULES))) >= BLOCK_SCORE


def cites_planted_instructions(draft: Draft) -> bool:
    """Whether a passage that the draft rests on carries orders; blocking, some milliseconds a passage."""
    return any(has_planted_instructions(citation.text) for citation in draft.citations)


def fence(text: str, name: str = "text") -> str:
    """Spotlighting: untrusted text between delimiters that it cannot close: they carry a digest of the text itself.

    >>> fence("hello", "customer").splitlines()[1]
    'hello'
    """
    mark = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=12).hexdigest()
    return f"<{name} {mark}>\n{text}\n</{name} {mark}>"


def normalise(text: str) -> str:
    """The text as a reader sees it: compatibility forms, look-alike letters and invisible characters resolved."""
    folded = INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).lower()
    unaccented = "".join(c for c in unicodedata.normalize("NFD", folded) if not unicodedata.combining(c))
    normalised = unaccented.translate(LOOK_ALIKES).replace("\u2019", "'")
    return re.sub(r"[ \t\u00a0]+", " ", normalised)


def _matched_rules(text: str, rules: tuple[InjectionRule, ...]) -> list[InjectionRule]:
    """The rules that the text breaks in any of its readings, weightiest first."""
    readings = list(_readings(text))
    found = [rule for rule in rules if any(rule.pattern.search(reading) for reading in readings)]
    return sorted(found, key=lambda rule: -rule.weight)


def _readings(text: str) -> Iterator[str]:
    """The text, and what it says when decoded."""
    normalised = normalise(text)
    yield normalised
    joined = SPACED_LETTERS.sub(lambda match: re.sub(r"[^a-z]", "", match.group()), normalised)
    if joined != normalised:
        yield joined
    if any(mark in normalised for mark in "013457@$"):
        yield normalised.translate(LEET)
    for decoded in _decoded(text):
        yield normalise(decoded)


def _decoded(text: str) -> Iterator[str]:
    """What is hidden in base64, hexadecimal, rot13 or written backwards."""
    if "vtaber" in text.lower() or "cebzcg" in text.lower():  # "ignore" and "prompt" in rot13
        yield codecs.decode(text, "rot13")
    if "erongi" in text.lower() or "tpmorp" in text.lower():
        yield text[::-1]
    for match in list(BLOB.finditer(text))[:MAX_BLOBS]:
        yield from _as_text(_from_base64(match.group()))
    for match in list(HEXADECIMAL.finditer(text))[:MAX_BLOBS]:
        yield from _as_text(bytes.fromhex(re.sub(r"[ :]", "", match.group())))


def _from_base64(blob: str) -> bytes:
    standard = blob.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(standard + "=" * (-len(standard) % 4))
    except binascii.Error:
        return b""


def _as_text(raw: bytes) -> Iterator[str]:
    text = raw.decode("utf-8", "ignore")
    if not text:
        return
    printable, decoded = sum(map(str.isprintable, text)) / len(text), len(text) / len(raw)
    if min(printable, decoded) >= MIN_PRINTABLE_SHARE:
        yield text
