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


PROBLEMS: Mapping[int | str, dict[str, Any]] = MappingProxyType(
    {
        "default": {
            "description": "A problem document (RFC 9457); `type` is its kind.",
            "content": {MEDIA_TYPE: {"schema": Problem.model_json_schema()}},
        }
    }
)
"""For the OpenAPI description of every route."""


def problem_response(kind: str, status: int, title: str, detail: str, **members: Any) -> JSONResponse:
    """A problem document as a response."""
    document = {"type": kind, "title": title, "status": status, "detail": detail, **members}
    return JSONResponse(document, status, media_type=MEDIA_TYPE)
