"""PII masking by placeholders: no model and no log sees personal data or secrets; only agents see the originals."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from graph.guard.credentials import find_credentials
from graph.guard.personal_data import SensitiveSpan, find_personal_data

MASK_PLACEHOLDER = re.compile(r"\[[A-Z_]{2,20}_[0-9]{1,6}\]")
MAX_PASSES = 3
"""What stands next to a number says what it is, so a number may show only after its neighbour is masked."""
NO_PLACEHOLDERS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class MaskedText:
    """A text without personal data, and what stood there."""

    text: str
    originals: dict[str, str]
    """Placeholder, such as `[EMAIL_1]`, to the original characters."""


def mask(text: str, known: Mapping[str, str] = NO_PLACEHOLDERS) -> MaskedText:
    """Replace cards, IBANs, e-mail addresses, phone numbers, national ids, keys and passwords by placeholders.

    The same value gets the same placeholder; masking a masked text changes nothing. `known` are the placeholders
    of earlier texts of the same conversation: their values keep their names, new values get new ones.
    """
    originals: dict[str, str] = {}
    for _ in range(MAX_PASSES):
        text, found = _mask_once(text, {**known, **originals})
        if not found:
            break
        originals |= found
    return MaskedText(text, originals)


def redact(text: str) -> str:
    """The text fit for a log: masked, and the originals forgotten."""
    return mask(text).text


def _mask_once(text: str, known: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    names = {original: placeholder for placeholder, original in known.items()}
    taken = set(MASK_PLACEHOLDER.findall(text)) | set(known)
    numbers: Counter[str] = Counter()
    originals: dict[str, str] = {}
    pieces: list[str] = []
    position = 0
    for span in _spans(text):
        original = text[span.start : span.end]
        placeholder = names.get(original) or _free_placeholder(span.kind, numbers, taken)
        names[original] = placeholder
        originals[placeholder] = original
        pieces += [text[position : span.start], placeholder]
        position = span.end
    return "".join([*pieces, text[position:]]), originals


def _spans(text: str) -> list[SensitiveSpan]:
    """What to replace, in order of appearance and without overlaps; earlier detectors win."""
    covered = bytearray(len(text))
    kept: list[SensitiveSpan] = []
    for span in _candidate_spans(text):
        if not any(covered[span.start : span.end]):
            covered[span.start : span.end] = b"\x01" * (span.end - span.start)
            kept.append(span)
    return sorted(kept)


def _candidate_spans(text: str) -> Iterator[SensitiveSpan]:
    for span in (*find_credentials(text), *find_personal_data(text)):
        # A placeholder inside a span means that the text was masked before.
        if not MASK_PLACEHOLDER.search(text, span.start, span.end):
            yield span


def _free_placeholder(kind: str, numbers: Counter[str], taken: set[str]) -> str:
    while True:
        numbers[kind] += 1
        name = f"[{kind}_{numbers[kind]}]"
        if name not in taken:
            return name
