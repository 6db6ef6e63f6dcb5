"""REST: documents. Admins load and delete what the desk knows, members look."""

import asyncio
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request

from storage.errors import InvalidError
from storage.knowledge.documents.readers import READERS, read
from storage.records import Document, DocumentStatus
from workbench.api.dependencies import Context, CurrentAdmin, CurrentMember
from workbench.api.schemas import Id, Item, Items
from workbench.http.uploads import BYTES_PER_MB, receive_file

router = APIRouter(prefix="/documents", tags=["documents"])

UPLOAD_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}
"""The form, which is read by hand so that its size is bounded while it comes in."""


class UnreadableFileError(InvalidError):
    """Nothing can be loaded from this file."""

    kind = "unreadable-file"

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail)
        self.accepted = tuple(READERS)
        """The extensions of what can be loaded."""


class LoadingItem(Item):
    """A document that is being loaded."""

    id: str
    status: DocumentStatus


class RefusedRowItem(Item):
    """A row that could not be used."""

    row: int
    """As a spreadsheet counts: the header is row 1."""
    reason: str


class DocumentItem(Item):
    """What an admin loaded, and what became of it."""

    id: str
    filename: str
    status: DocumentStatus
    entries: int
    refused: list[RefusedRowItem]
    error: str | None
    size: int
    """Bytes."""
    created_at: datetime


@router.post("", status_code=202, openapi_extra=UPLOAD_FORM)
async def upload_document(request: Request, context: Context, admin: CurrentAdmin) -> LoadingItem:
    """Load a file; read the document until its status is `ready` or `failed`."""
    filename, content = await receive_file(request, context.settings.web.max_upload_mb * BYTES_PER_MB)
    try:
        await asyncio.to_thread(read, filename, content)
    except InvalidError as error:
        raise UnreadableFileError(error.detail) from error
    document = await context.desk.add_document(admin, filename, content)
    return LoadingItem(id=document.id, status=document.status)


@router.get("")
async def list_documents(context: Context, member: CurrentMember) -> Items[DocumentItem]:
    """Every document of the workspace, newest first."""
    found = await context.store.knowledge.catalogue.list(member.workspace_id)
    return Items(items=[_item(document) for document in found])


@router.get("/{document_id}")
async def read_document(context: Context, member: CurrentMember, document_id: Id) -> DocumentItem:
    """One document: how far it is, and what was refused."""
    return _item(await context.store.knowledge.catalogue.get(member.workspace_id, document_id))


@router.delete("/{document_id}", status_code=204)
async def delete_document(context: Context, admin: CurrentAdmin, document_id: Id) -> None:
    """Forget a document and everything loaded from it."""
    await context.desk.delete_document(admin, document_id)


def _item(document: Document) -> DocumentItem:
    return DocumentItem(
        id=document.id,
        filename=document.filename,
        status=document.status,
        entries=document.entries,
        refused=[RefusedRowItem(row=refused.row, reason=refused.reason) for refused in document.refused],
        error=document.error,
        size=document.size,
        created_at=document.created_at,
    )
