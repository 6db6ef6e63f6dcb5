"""Error boundary of Gradio's event handlers: what goes wrong is told to the person, in the desk's own words."""

import functools
from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, TypeVar

import gradio as gr
import structlog

from storage.errors import DeskhandError, NotLoggedInError
from workbench.ui.html import esc

_Params = ParamSpec("_Params")
_Result = TypeVar("_Result")
log = structlog.get_logger(__name__)

UNEXPECTED_ERROR = "Something went wrong in Deskhand. Load the page again and see whether it took effect."

PRIVATE_EVENT: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
"""How every event is registered: no documented endpoint, no veil over the page while it runs."""


def error_boundary(handler: Callable[_Params, Awaitable[_Result]]) -> Callable[_Params, Awaitable[_Result]]:
    """A handler whose errors are shown as a notice; Gradio renders notices as HTML, so they are escaped."""

    @functools.wraps(handler)
    async def guarded(*args: _Params.args, **kwargs: _Params.kwargs) -> _Result:
        try:
            return await handler(*args, **kwargs)
        except NotLoggedInError as error:
            raise gr.Error("Your login has ended: load the page again and log in.", print_exception=False) from error
        except DeskhandError as error:
            raise gr.Error(esc(error.detail), print_exception=False) from error
        except gr.Error:
            raise
        except Exception as error:
            # Gradio would print it with its words.
            log.exception("workbench event failed", handler=handler.__qualname__)
            raise gr.Error(UNEXPECTED_ERROR, print_exception=False) from error

    return guarded
