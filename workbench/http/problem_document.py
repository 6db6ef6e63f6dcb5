"""Problem Details (RFC 9457): the document that every error answers with."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ConfigDict
from starlette.responses import JSONResponse

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """What an error answers; some kinds add members of their own."""

    model_config = ConfigDict(extra="allow")

    type: str
    """The kind, such as `not-found`, `already-decided` (with `by` and `decision`), `stale` (with `new_text`)."""
    title: str
    status: int
    detail: str


_CONTENT = {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}
PROBLEMS: Mapping[int | str, dict[str, Any]] = MappingProxyType(
    {
        "default": {
            "description": "A problem document (RFC 9457); `type` is its kind.",
            "content": _CONTENT,
        }
    }
)
"""For the OpenAPI description of every route."""
CUSTOMER_PROBLEMS: Mapping[int | str, dict[str, Any]] = MappingProxyType(
    {
        status: {"description": description, "content": _CONTENT}
        for status, description in (
            (400, "The request cannot be read."),
            (401, "The bearer is missing or opens nothing any more."),
            (403, "The bearer does not allow this."),
            (404, "There is no such thing, or the bearer does not open it."),
            (409, "It is not in the state for this, or exists already."),
            (413, "The text or body is too long."),
            (415, "The charset is none that is read."),
            (422, "A field cannot be used as it is."),
            (429, "Too often: `Retry-After` says when to come back."),
            (503, "The desk has too much to do right now."),
        )
    }
)
"""For the customers' routes, whose clients are written by others: each status by itself."""


def problem_response(kind: str, status: int, title: str, detail: str, **members: Any) -> JSONResponse:
    """A problem document as a response."""
    document = {"type": kind, "title": title, "status": status, "detail": detail, **members}
    return JSONResponse(document, status, media_type=MEDIA_TYPE)
