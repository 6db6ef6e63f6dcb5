"""Bounded upload of the Knowledge tab: a file goes from the form straight to the rows, never by a path.

Gradio's own upload keeps files in a folder and hands events the path that the browser names, any path.
"""

from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel

from storage.errors import NotAllowedError
from workbench.auth.sessions import Sessions, is_same_site
from workbench.context import WorkbenchContext
from workbench.http.uploads import BYTES_PER_MB, receive_file

UPLOAD_PATH = "/workbench/documents"


class UploadedItem(BaseModel):
    """A document that is being loaded."""

    id: str
    status: Literal["loading"] = "loading"


def upload_routes(context: WorkbenchContext, sessions: Sessions) -> APIRouter:
    """The route that the tab's script posts one file at a time to; by the cookie, so only from our own pages."""
    routes = APIRouter(include_in_schema=False)
    most = context.settings.web.max_upload_mb * BYTES_PER_MB

    @routes.post(UPLOAD_PATH, status_code=202)
    async def upload(request: Request) -> UploadedItem:
        if not is_same_site(request):
            raise NotAllowedError("This request came from another site.")
        admin = await sessions.admin(request)
        filename, content = await receive_file(request, most)
        document = await context.desk.add_document(admin, filename, content)
        return UploadedItem(id=document.id)

    return routes
