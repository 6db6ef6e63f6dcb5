"""Prompt building: the conversation masked, of bounded size, each message under its author, all of it fenced."""

from collections.abc import Mapping, Sequence

from graph.guard.injection import fence
from graph.guard.masking import mask
from storage.records import Line

EMPTY_TEXT = "(nothing)"
MAX_LINE_LENGTH = 2000
"""Characters of one earlier message that a prompt shows."""


def dialogue(lines: Sequence[Line], known: Mapping[str, str]) -> str:
    """The messages, oldest first, personal data masked; `known` are the placeholders given out before."""
    if not lines:
        return EMPTY_TEXT
    shown: list[str] = []
    known = dict(known)
    for line in lines:
        masked = mask(line.text, known)
        known |= masked.originals
        shown.append(f"{line.author.value}: {_indented(masked.text)}")
    return as_data("\n".join(shown))


def fenced(text: str, known: Mapping[str, str]) -> str:
    """The text masked and fenced, or a word for nothing."""
    return as_data(mask(text, known).text) if text.strip() else EMPTY_TEXT


def as_data(text: str) -> str:
    """The text in the marks that the prompts' instructions speak of."""
    return fence(text, "data")


def _indented(text: str) -> str:
    """A message cannot pretend to hold the next one: only authors start at the margin."""
    clipped = text if len(text) <= MAX_LINE_LENGTH else f"{text[:MAX_LINE_LENGTH]} …"
    return clipped.replace("\r", "\n").replace("\n", "\n    ")
