"""What a reader makes of a file."""

from dataclasses import dataclass

from storage.records import ChunkKind, RejectedRow


@dataclass(frozen=True, slots=True)
class Piece:
    """A chunk before it has an id."""

    kind: ChunkKind
    title: str
    text: str
    alternatives: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    url: str = ""
    """Where customers can read it; empty: nowhere."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a file gave."""

    pieces: tuple[Piece, ...]
    """In the file's order."""
    refused: tuple[RejectedRow, ...] = ()
