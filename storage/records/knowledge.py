"""Documents, the chunks that are searched, and citations."""

from dataclasses import dataclass
from datetime import datetime

from storage.records.base import Value
from storage.records.enums import ChunkKind, DocumentStatus


class Chunk(Value):
    """A piece of knowledge that is found and cited."""

    id: str
    workspace_id: str
    document_id: str
    kind: ChunkKind
    title: str
    """What a citation shows: the FAQ question, or the document's title and heading path."""
    text: str
    """The FAQ entry's answer verbatim, or the passage."""
    alternatives: tuple[str, ...] = ()
    """Other phrasings of the FAQ question."""
    tags: tuple[str, ...] = ()
    position: int = 0
    """0-based place in the document."""
    url: str = ""
    """Its public http(s) address; empty if it has none."""

    def search_texts(self) -> tuple[str, ...]:
        """The texts that stand for it in both indexes, each with a vector of its own.

        Of a FAQ entry the question, its alternatives, then question and answer; of a passage the text under its title.
        """
        whole = f"{self.title}\n{self.text}".strip()
        if self.kind is ChunkKind.PASSAGE:
            return (whole,)
        return tuple(dict.fromkeys((self.title, *self.alternatives, whole)))


class Citation(Value):
    """A chunk that a sentence of the draft rests on."""

    chunk_id: str
    document_id: str
    title: str
    text: str
    url: str = ""
    """Where the customer can read it; empty if it has no public address."""


class Hit(Value):
    """A chunk found for a query; the phrasings of one FAQ entry are one hit."""

    chunk: Chunk
    score: float
    """The fused score that orders the hits; higher is better."""
    dense: float
    """Cosine of the query and the chunk's best text, -1 to 1."""
    keyword: float
    """BM25 of the query and the chunk's best text, 0 and up."""
    matched: str
    """The phrasing or passage that matched best."""
    agreement: float = 0.0
    """Mean cosine of the query and the chunk's three best texts, -1 to 1."""

    def citation(self) -> Citation:
        """What a reply that rests on it shows as its source."""
        chunk = self.chunk
        return Citation(
            chunk_id=chunk.id, document_id=chunk.document_id, title=chunk.title, text=chunk.text, url=chunk.url
        )


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row of a loaded file that could not be used."""

    row: int
    """1-based, as a spreadsheet counts: the header is row 1."""
    reason: str


@dataclass(frozen=True, slots=True)
class Document:
    """What an admin loaded."""

    id: str
    workspace_id: str
    filename: str
    status: DocumentStatus
    entries: int
    refused: tuple[RejectedRow, ...]
    error: str | None
    size: int
    """Bytes."""
    created_at: datetime
    progress: int = 0
    """Percent made searchable so far, while it is loading."""
