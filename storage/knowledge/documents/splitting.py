"""Recursive text splitting: at paragraphs where there are any, else at lines, sentences, words, characters."""

import re
from collections.abc import Iterable, Iterator, Sequence

SENTENCE_ENDS = ("\n\n", "\n", r"(?<=[.!?…])\s+", r"(?<=[;:,])\s+", " ", "")
LINE_ENDS = ("\n", "")


def split_text(text: str, size: int, separators: Sequence[str] = SENTENCE_ENDS) -> list[str]:
    """The text in parts of at most `size` characters, each as long as its neighbours let it be.

    `separators` are patterns, the coarsest first, the last one empty: the text is cut at the first that occurs in it,
    and a part that is still too long at the next ones. A separator stays at the end of what it ends.
    """
    level, separator = next(
        (level, pattern) for level, pattern in enumerate(separators) if not pattern or re.search(pattern, text)
    )
    chunks: list[str] = []
    short: list[str] = []
    for part in _cut(text, separator):
        if len(part) < size:
            short.append(part)
        else:
            chunks += [*_packed(short, size), *split_text(part, size, separators[level + 1 :])]
            short = []
    return [*chunks, *_packed(short, size)]


def _cut(text: str, separator: str) -> Iterator[str]:
    start = 0
    for found in re.finditer(separator, text):
        if found.end() > start:
            yield text[start : found.end()]
            start = found.end()
    if start < len(text):
        yield text[start:]


def _packed(parts: Iterable[str], size: int) -> Iterator[str]:
    """Neighbours joined up to the size, without white space around them."""
    held = ""
    for part in parts:
        if len(held) + len(part) > size:
            yield from filter(None, [held.strip()])
            held = ""
        held += part
    yield from filter(None, [held.strip()])
