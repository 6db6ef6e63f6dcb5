"""Exception handlers: every error becomes a problem document (RFC 9457), which programs can tell apart."""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ExceptionHandler

from storage.errors import (
    AlreadyDecidedError,
    DeskhandError,
    NotLoggedInError,
    OverloadedError,
    StaleError,
    TooManyAttemptsError,
    TooManyMessagesError,
)
from workbench.http.metrics import route_of
from workbench.http.problem_document import problem_response
from workbench.http.request_ids import request_id_of
from workbench.http.unknown_paths import UnknownPathMiddleware

log = structlog.get_logger(__name__)

KIND_BY_STATUS: Mapping[int, str] = MappingProxyType(
    {
        400: "invalid",
        401: "not-logged-in",
        403: "not-allowed",
        404: "not-found",
        405: "method-not-allowed",
        413: "too-large",
        429: "too-many-attempts",
    }
)
"""The kind of a problem that the framework found, by its HTTP status."""
INTERNAL_ERROR_DETAIL = "It is not your fault. If it happens again, give the reference to whoever runs this desk."


def install_problems(app: FastAPI) -> None:
    """Answer every error of this application with a problem document, and close the API's unknown paths."""
    handlers: dict[type[Exception], ExceptionHandler] = {
        DeskhandError: _deskhand_error,
        RequestValidationError: _validation_error,
        HTTPException: _http_error,
        Exception: _unexpected_error,
    }
    for error, handler in handlers.items():
        app.add_exception_handler(error, handler)
    app.add_middleware(UnknownPathMiddleware)


async def _deskhand_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, DeskhandError)  # noqa: S101 - what the handler is registered for
    title = (type(error).__doc__ or "").partition("\n")[0]
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR and not isinstance(error, OverloadedError):
        # The words of such an error are for whoever runs the desk: they may name addresses and files.
        reference, route = request_id_of(request), route_of(request.scope)
        log.warning("request failed", request=reference, route=route, kind=error.kind, why=error.detail)
        return problem_response(error.kind, error.status, title, INTERNAL_ERROR_DETAIL, reference=reference)
    answer = problem_response(error.kind, error.status, title, error.detail, **_members(error))
    answer.headers.update(_headers(error))
    return answer


def _members(error: DeskhandError) -> dict[str, Any]:
    """What a kind of problem has to say beyond its detail."""
    match error:
        case AlreadyDecidedError():
            return {"by": error.by, "decision": error.decision}
        case StaleError():
            return {"new_text": error.new_text}
        case TooManyAttemptsError() | TooManyMessagesError() | OverloadedError():
            return {"retry_after": error.retry_after}
        case _:
            accepted: tuple[str, ...] | None = getattr(error, "accepted", None)
            return {"accepted": accepted} if accepted else {}


def _headers(error: DeskhandError) -> dict[str, str]:
    match error:
        case TooManyAttemptsError() | TooManyMessagesError() | OverloadedError():
            return {"Retry-After": str(error.retry_after)}
        case NotLoggedInError():
            return {"WWW-Authenticate": "Bearer"}
        case _:
            return {}


async def _validation_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - what the handler is registered for
    # The values are not repeated: one may be a password.
    errors = [{"place": ".".join(map(str, item["loc"])), "detail": item["msg"]} for item in error.errors()]
    detail = "; ".join(f"{item['place']}: {item['detail']}" for item in errors)
    return problem_response("invalid", 422, "The input cannot be used as it is.", detail, errors=errors)


async def _http_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - what the handler is registered for
    phrase = HTTPStatus(error.status_code).phrase
    kind = KIND_BY_STATUS.get(error.status_code, phrase.lower().replace(" ", "-"))
    answer = problem_response(kind, error.status_code, phrase, str(error.detail) or phrase)
    answer.headers.update(error.headers or {})
    return answer


async def _unexpected_error(request: Request, error: Exception) -> JSONResponse:
    reference, route = request_id_of(request), route_of(request.scope)
    log.error("request failed", request=reference, route=route, method=request.method, exc_info=error)
    return problem_response(
        "error", 500, "Something went wrong in Deskhand.", INTERNAL_ERROR_DETAIL, reference=reference
    )
