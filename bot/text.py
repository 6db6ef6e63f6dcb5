"""Text splitting and mention neutralising: what chat platforms need of every text."""

import re

ZERO_WIDTH = "\u200b"
FENCE = re.compile(r"^(?P<indent> {0,3})(?P<fence>`{3,}|~{3,})(?P<language>[^`\n]*)$", re.MULTILINE)
BREAKS = (re.compile(r"\n\s*\n"), re.compile(r"\n"), re.compile(r"(?<=[.!?…])\s+"), re.compile(r"\s+"))
"""Where a long text may be cut, the best first: between paragraphs, lines, sentences, words."""
MENTION = re.compile(r"@(?=everyone\b|here\b|channel\b|group\b)|<(?=[@#!])", re.IGNORECASE)
MAX_FENCE, MAX_LANGUAGE = 8, 20
"""What is repeated of a code block's first line when the block is cut."""


def split(text: str, limit: int) -> list[str]:
    """Pieces of at most `limit` characters, cut between paragraphs, else lines, else sentences, else words.

    A code block that must be cut is closed at the end of its piece and opened again in the next one.
    """
    pieces: list[str] = []
    rest = text.strip()
    while len(rest) > limit:
        piece, rest = _cut(rest, limit)
        pieces.append(piece)
    return [*pieces, rest] if rest else pieces


def _cut(text: str, limit: int) -> tuple[str, str]:
    end = _break_before(text, limit)
    opened = _open_fence(text[:end])
    if opened is None:
        return text[:end].rstrip(), text[end:].lstrip("\n ")
    start, fence, language = opened
    if start > limit // 2:
        return text[:start].rstrip(), text[start:]
    # No natural place but inside the block: cut between its lines and mend both pieces.
    room = limit - len(fence) - 1
    end = _line_end(text, start + len(fence) + len(language) + 1, room)
    rest = text[end:].lstrip("\n")
    return f"{text[:end].rstrip()}\n{fence}", f"{fence}{language}\n{rest}"


def _break_before(text: str, limit: int) -> int:
    for pattern in BREAKS:
        ends = [match.start() for match in pattern.finditer(text, 0, limit + 1) if match.start() <= limit]
        if ends and ends[-1] >= limit // 3:
            return ends[-1]
    return limit


def _line_end(text: str, after: int, limit: int) -> int:
    end = text.rfind("\n", after, limit)
    return end if end > after else limit


def _open_fence(text: str) -> tuple[int, str, str] | None:
    """(start, fence, language) of a code block that is still open at the text's end."""
    opened: re.Match[str] | None = None
    for match in FENCE.finditer(text):
        if opened is None:
            opened = match
        elif match["fence"].startswith(opened["fence"]) and not match["language"].strip():
            opened = None
    return (opened.start(), opened["fence"][:MAX_FENCE], opened["language"].strip()[:MAX_LANGUAGE]) if opened else None


def pluralise(number: int, one: str, many: str) -> str:
    """How many there are, in words that agree with it."""
    return f"{number} {one if number == 1 else many}"


def neutralise_mentions(text: str) -> str:
    """The text with every mention broken by an invisible character: it reads the same and calls nobody."""
    return MENTION.sub(lambda match: match[0] + ZERO_WIDTH, text)
