"""The documents of a workspace: created with their content, loaded by a job, listed, deleted."""

from collections.abc import Collection

from storage.database import Database
from storage.knowledge import Knowledge, Progress
from storage.records import Chunk, Document


class Catalogue:
    """Document rows and their chunks. A document that is not ready is not found by any search."""

    def __init__(self, database: Database, knowledge: Knowledge) -> None:
        self._database = database
        self._knowledge = knowledge

    async def create(self, workspace_id: str, filename: str, content: bytes, created_by: str | None = None) -> Document:
        """Keep a file, status `loading`; the caller then enqueues the job of `load_document`.

        Raises InvalidError for a format that is not accepted (nothing is kept then).
        """
        raise NotImplementedError

    async def list(self, workspace_id: str) -> tuple[Document, ...]:
        """Every document, newest first."""
        raise NotImplementedError

    async def get(self, workspace_id: str, document_id: str) -> Document:
        """One document. Raises NotFoundError."""
        raise NotImplementedError

    async def chunks(self, workspace_id: str, document_id: str, limit: int = 200, after: int = -1) -> tuple[Chunk, ...]:
        """What was loaded, in the document's order, after this position."""
        raise NotImplementedError

    async def chunks_by_id(self, workspace_id: str, ids: Collection[str]) -> tuple[Chunk, ...]:
        """These chunks, as far as they still exist."""
        raise NotImplementedError

    async def delete(self, workspace_id: str, document_id: str) -> None:
        """Forget a document, its chunks and vectors. Raises NotFoundError."""
        raise NotImplementedError

    async def load_document(self, document_id: str, progress: Progress | None = None) -> Document:
        """The load job: read, embed, make searchable; ends `ready` or `failed` (with the reason).

        Idempotent: cut off anywhere and run again, it leaves no double chunk and no orphan vector. A document that
        is not `loading` any more is left as it is. Raises NotFoundError, and UnavailableError (try again later).
        """
        raise NotImplementedError

    async def unfinished(self) -> tuple[str, ...]:
        """Ids of the documents still `loading`, oldest first: their jobs are enqueued again at start."""
        raise NotImplementedError
