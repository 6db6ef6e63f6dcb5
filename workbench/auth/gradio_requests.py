"""Input validation in front of Gradio: bodies by the shape that its pages send, page sessions bound to their member.

Mounted in another application, Gradio opens any path and fetches any address that an event's data names as a file. No
component of the workbench takes files, so whatever looks like one is refused.
"""

import json
import re
from collections import OrderedDict
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from starlette.requests import HTTPConnection
from starlette.types import Message, Receive

SESSION_HASH = r"[A-Za-z0-9_-]{1,64}"
SESSION_PATH = re.compile(rf"/gradio_api/heartbeat/({SESSION_HASH})")
MOST_SESSIONS = 10_000
"""As many as Gradio itself remembers."""

SessionHash = Annotated[str, StringConstraints(pattern=f"^{SESSION_HASH}$")]


class GradioBody(BaseModel):
    """A body that is read strictly: fields that the pages do not send are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)

    session_hash: SessionHash


class EventBody(GradioBody):
    """An event of the page."""

    fn_index: int
    data: list[Any] = Field(max_length=64)
    event_data: Any = None
    trigger_id: int | None = None


class ServerFunctionBody(GradioBody):
    """A call of a page's server function."""

    component_id: int
    fn_name: str
    data: Any = None


BODIES: dict[str, type[GradioBody]] = {
    "/gradio_api/queue/join": EventBody,
    "/gradio_api/component_server": ServerFunctionBody,
    "/gradio_api/component_server/": ServerFunctionBody,
}


class UnusableBodyError(Exception):
    """The page does not send such a thing."""


def session_hash_of(path: str, connection: HTTPConnection, body: bytes) -> str | None:
    """The page session that a request is about; None: it is about none. Raises UnusableBodyError."""
    if shape := BODIES.get(path):
        return _checked(shape, body).session_hash
    if found := SESSION_PATH.fullmatch(path):
        return found[1]
    given = connection.query_params.getlist("session_hash")
    if not given:
        return None
    if len(given) > 1 or not re.fullmatch(SESSION_HASH, given[0]):
        raise UnusableBodyError
    return given[0]


def _checked(shape: type[GradioBody], body: bytes) -> GradioBody:
    try:
        raw = json.loads(body)
        asked = shape.model_validate(raw)
        # Recursion is bounded: the JSON parser has been through it already.
        has_file = _names_file(raw)
    except (ValidationError, ValueError, RecursionError) as error:
        raise UnusableBodyError from error
    if has_file:
        raise UnusableBodyError
    return asked


def _names_file(value: Any) -> bool:
    match value:
        case dict():
            return "path" in value or any(map(_names_file, value.values()))
        case list():
            return any(map(_names_file, value))
        case _:
            return False


async def read_body(receive: Receive) -> bytes:
    """The whole body, which `http.body_limit` bounds. Raises UnusableBodyError if the client goes away."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise UnusableBodyError
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def replayed(body: bytes, receive: Receive) -> Receive:
    """The same request for whoever reads it next."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return pending.pop() if pending else await receive()

    return receive_again


class PageSessions:
    """Whose each page session is: the first member who names it has it, so nobody reads or fills another's."""

    def __init__(self, most: int = MOST_SESSIONS) -> None:
        self._owners: OrderedDict[str, str] = OrderedDict()
        self._most = most

    def claim(self, session_hash: str, member_id: str) -> bool:
        """Whether this member may use the session."""
        owner = self._owners.setdefault(session_hash, member_id)
        self._owners.move_to_end(session_hash)
        if len(self._owners) > self._most:
            self._owners.popitem(last=False)
        return owner == member_id
