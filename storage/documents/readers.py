"""Files to chunks: one function per format, one line in the table of readers."""

from dataclasses import dataclass

from storage.records import ChunkKind, Refused


@dataclass(frozen=True, slots=True)
class Piece:
    """A chunk before it has an id: what a reader found in a file."""

    kind: ChunkKind
    title: str
    text: str
    alternatives: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a file gave."""

    pieces: tuple[Piece, ...]
    """In the file's order."""
    refused: tuple[Refused, ...] = ()


def read(filename: str, content: bytes) -> Loaded:
    """Read a file by its extension. Raises InvalidError if it cannot be used at all; single rows are refused."""
    raise NotImplementedError
