"""Parser output: what a reader makes of a file."""

from dataclasses import dataclass

from storage.records import ChunkKind, RejectedRow


@dataclass(frozen=True, slots=True)
class ParsedChunk:
    """A chunk before it has an id."""

    kind: ChunkKind
    title: str
    text: str
    alternatives: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    url: str = ""
    """Where customers can read it; empty: nowhere."""


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """What a file gave."""

    chunks: tuple[ParsedChunk, ...]
    """In the file's order."""
    refused: tuple[RejectedRow, ...] = ()
