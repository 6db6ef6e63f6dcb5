"""Personal data and secrets become placeholders before any model or log sees them; only agents see the originals."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from graph.guard.credentials import find_credentials
from graph.guard.personal_data import Finding, find_personal_data

PLACEHOLDER = re.compile(r"\[[A-Z_]{2,20}_[0-9]{1,6}\]")
PASSES = 3
"""What stands next to a number says what it is, so a number may show only after its neighbour is masked."""
NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Masked:
    """A text without personal data, and what stood there."""

    text: str
    replaced: dict[str, str]
    """Placeholder, such as `[EMAIL_1]`, to the original characters."""


def mask(text: str, known: Mapping[str, str] = NOTHING) -> Masked:
    """Replace cards, IBANs, e-mail addresses, phone numbers, national ids, keys and passwords by placeholders.

    The same value gets the same placeholder; masking a masked text changes nothing. `known` are the placeholders
    of earlier texts of the same conversation: their values keep their names, new values get new ones.
    """
    replaced: dict[str, str] = {}
    for _ in range(PASSES):
        text, found = _mask_once(text, {**known, **replaced})
        if not found:
            break
        replaced |= found
    return Masked(text, replaced)


def unmask(text: str, replaced: Mapping[str, str]) -> str:
    """The text with its placeholders turned back; placeholders that nobody replaced stay."""
    return PLACEHOLDER.sub(lambda match: replaced.get(match.group(), match.group()), text)


def redact(text: str) -> str:
    """The text fit for a log: masked, and the originals forgotten."""
    return mask(text).text


def _mask_once(text: str, known: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    names = {original: placeholder for placeholder, original in known.items()}
    taken = set(PLACEHOLDER.findall(text)) | set(known)
    numbers: Counter[str] = Counter()
    replaced: dict[str, str] = {}
    pieces: list[str] = []
    position = 0
    for finding in _findings(text):
        original = text[finding.start : finding.end]
        placeholder = names.get(original) or _free_name(finding.kind, numbers, taken)
        names[original] = placeholder
        replaced[placeholder] = original
        pieces += [text[position : finding.start], placeholder]
        position = finding.end
    return "".join([*pieces, text[position:]]), replaced


def _findings(text: str) -> list[Finding]:
    """What to replace, in order of appearance and without overlaps; earlier finders win."""
    covered = bytearray(len(text))
    kept: list[Finding] = []
    for finding in _candidates(text):
        if not any(covered[finding.start : finding.end]):
            covered[finding.start : finding.end] = b"\x01" * (finding.end - finding.start)
            kept.append(finding)
    return sorted(kept)


def _candidates(text: str) -> Iterator[Finding]:
    for finding in (*find_credentials(text), *find_personal_data(text)):
        # A placeholder inside a finding means that the text was masked before.
        if not PLACEHOLDER.search(text, finding.start, finding.end):
            yield finding


def _free_name(kind: str, numbers: Counter[str], taken: set[str]) -> str:
    while True:
        numbers[kind] += 1
        name = f"[{kind}_{numbers[kind]}]"
        if name not in taken:
            return name
