"""Server functions of a page that refreshes itself: who asks, checked; what is asked, checked; the answer as JSON.

The page's script calls two of them, `server.refresh` and `server.act`: Gradio names them by the function.
"""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import gradio as gr
from pydantic import BaseModel, ValidationError

from storage.errors import DeskhandError, NotLoggedInError
from storage.records import Member

_Asked = TypeVar("_Asked", bound=BaseModel)
Payload = dict[str, Any]
ServerFunction = Callable[[Payload, gr.Request], Awaitable[Payload]]
Identify = Callable[[gr.Request], Awaitable[Member]]
"""Finds the member behind a request. Raises NotLoggedInError, and NotAllowedError on a page for admins."""
OUTDATED_PAGE = "This page is older than the desk: load it again."


@dataclass(frozen=True, slots=True)
class Notice:
    """What the person is told of what they did."""

    text: str
    ok: bool = True

    def for_browser(self) -> Payload:
        """The record as JSON."""
        return asdict(self)


def refresh_function(
    identify: Identify, asked_type: type[_Asked], view: Callable[[Member, _Asked], Awaitable[Payload]]
) -> ServerFunction:
    """Answers with what changed on the page, or with `login` or `error`."""

    async def refresh(asked: Payload, request: gr.Request) -> Payload:
        try:
            return await view(await identify(request), asked_type.model_validate(asked))
        except NotLoggedInError:
            return {"login": True}
        except (DeskhandError, ValidationError) as error:
            return {"error": error_text(error)}

    return refresh


def action_function(
    identify: Identify,
    asked_type: type[_Asked],
    perform: Callable[[Member, _Asked], Awaitable[Notice]],
    explain: Callable[[DeskhandError | ValidationError], str] | None = None,
) -> ServerFunction:
    """Does what was asked and answers with a notice, or with `login`; `explain` words an error."""

    async def act(asked: Payload, request: gr.Request) -> Payload:
        try:
            notice = await perform(await identify(request), asked_type.model_validate(asked))
        except NotLoggedInError:
            return {"login": True}
        except (DeskhandError, ValidationError) as error:
            notice = Notice((explain or error_text)(error), ok=False)
        return notice.for_browser()

    return act


def error_text(error: DeskhandError | ValidationError) -> str:
    """An error as the person reads it."""
    return error.detail if isinstance(error, DeskhandError) else OUTDATED_PAGE
