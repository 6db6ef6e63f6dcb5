"""How an OpenAI-compatible endpoint behaves and misbehaves: each behaviour makes the response to one call.

Shapes: https://platform.openai.com/docs/api-reference/chat/object
Errors: https://platform.openai.com/docs/guides/error-codes
Refusals: https://platform.openai.com/docs/guides/structured-outputs#refusals
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from email.utils import formatdate
from time import time
from types import MappingProxyType
from typing import Any

from starlette.responses import HTMLResponse, JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.simulators.openai import answers
from tests.simulators.openai.call import Call

Behaviour = Callable[[Call], ASGIApp]
NO_HEADERS: Mapping[str, str] = MappingProxyType({})


def good(call: Call) -> ASGIApp:
    """A valid answer computed from the prompt."""
    return _structured(call, answers.answer(call))


def answering(values: Mapping[str, Any]) -> Behaviour:
    """This answer, valid or not."""
    return lambda call: _structured(call, values)


def saying(text: str) -> Behaviour:
    """This text as the content, even where a function call was asked for."""
    return lambda _: _completion({"content": text})


def calling_with(arguments: str) -> Behaviour:
    """A function call with these arguments, JSON or not."""
    return lambda call: _completion(_tool_call(call, arguments), "tool_calls")


def changed(**values: Any) -> Behaviour:
    """The good answer with these fields replaced."""
    return lambda call: _structured(call, {**answers.answer(call), **values})


def without(field: str) -> Behaviour:
    """The good answer with one required field left out."""
    return lambda call: _structured(
        call, {name: value for name, value in answers.answer(call).items() if name != field}
    )


def out_of_range(call: Call) -> ASGIApp:
    """Numbers beyond what the schema allows."""
    fields = call.schema["properties"]
    numbers = {name: 999 for name, form in fields.items() if form.get("type") in {"number", "integer"}}
    return _structured(call, {**answers.answer(call), **numbers})


def foreign_citation(call: Call) -> ASGIApp:
    """A draft that cites a passage that was not offered."""
    sentence = {"text": "The moon is made of cheese.", "passages": ["P99"]}
    return _structured(call, {"can_answer": True, "sentences": [sentence], "follow_ups": []})


def invalid_json(call: Call) -> ASGIApp:
    """Chatter where JSON was asked for."""
    text = "Sure! Here is what you asked for: {can_answer: yes"
    return _completion(_tool_call(call, text) if call.method == "function_calling" else {"content": text})


def empty_object(call: Call) -> ASGIApp:
    """`{}`, as some servers answer in JSON mode."""
    return _structured(call, {})


def refusal(_: Call) -> ASGIApp:
    """The model declines for safety reasons."""
    return _completion({"content": None, "refusal": "I'm sorry, I cannot assist with that request."})


def content_filter(_: Call) -> ASGIApp:
    """The answer was withheld by a content filter."""
    return _completion({"content": None}, "content_filter")


def cut_off(call: Call) -> ASGIApp:
    """The answer ran into the token limit."""
    text = json.dumps(answers.answer(call))[:20]
    if call.method == "function_calling":
        return _completion(_tool_call(call, text), "length")
    return _completion({"content": text}, "length")


def empty_choices(_: Call) -> ASGIApp:
    """A completion without a choice."""
    return JSONResponse(_envelope([]))


def null_choices(_: Call) -> ASGIApp:
    """A completion whose choices are null."""
    return JSONResponse({**_envelope([]), "choices": None})


def html_page(_: Call) -> ASGIApp:
    """A proxy's page instead of an API answer."""
    return HTMLResponse("<html><body>Sign in to the network</body></html>")


def broken_json(_: Call) -> ASGIApp:
    """An answer that says it is JSON and is not."""
    return _Raw(b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{"choices')


def status(
    code: int,
    *,
    retry_after: float | None = None,
    as_date: bool = False,
    error_code: str = "",
    message: str = "",
    headers: Mapping[str, str] = NO_HEADERS,
) -> Behaviour:
    """An error answer; `retry_after` in seconds, or as an HTTP date that many seconds from now."""

    def respond(_: Call) -> ASGIApp:
        sent = dict(headers)
        if retry_after is not None:
            moment = formatdate(time() + retry_after, usegmt=True)
            sent["retry-after"] = moment if as_date else f"{retry_after:g}"
        error = {"message": message or f"Simulated {code}", "type": "error", "param": None, "code": error_code or None}
        return JSONResponse({"error": error}, status_code=code, headers=sent)

    return respond


def by_method(default: Behaviour = good, **behaviours: Behaviour) -> Behaviour:
    """Another behaviour for each way of asking: `json_schema=status(500)` is an endpoint without it."""
    return lambda call: behaviours.get(call.method, default)(call)


def odd_endpoint(call: Call) -> ASGIApp:
    """The server of DESIGN section 4: 500 to json_schema, `{}` in JSON mode, wild numbers by function calling."""
    return by_method(json_schema=status(500), json_mode=empty_object, function_calling=out_of_range)(call)


def never(_: Call) -> ASGIApp:
    """No answer until the client gives up."""
    return _until_gone


def slow(seconds: float, then: Behaviour = good) -> Behaviour:
    """The first byte comes late."""

    def respond(call: Call) -> ASGIApp:
        async def later(scope: Scope, receive: Receive, send: Send) -> None:
            await asyncio.sleep(seconds)
            await then(call)(scope, receive, send)

        return later

    return respond


def dropped(_: Call) -> ASGIApp:
    """The connection closes without a byte."""
    return _Raw(b"")


def dropped_in_headers(_: Call) -> ASGIApp:
    """The connection closes in the middle of the headers."""
    return _Raw(b"HTTP/1.1 200 OK\r\ncontent-type: applica")


def dropped_in_body(_: Call) -> ASGIApp:
    """The connection closes in the middle of the body."""
    return _Raw(b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n{"choices": [{')


class _Raw:
    """Writes these bytes to the socket as they are and closes it."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        transport = scope["extensions"]["deskhand.transport"]
        transport.write(self._data)
        transport.close()
        await _until_gone(scope, receive, send)


async def _until_gone(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - an ASGI application
    message: Message = {"type": ""}
    while message["type"] != "http.disconnect":
        message = await receive()


def _structured(call: Call, values: Mapping[str, Any]) -> ASGIApp:
    text = json.dumps(values)
    if call.method == "function_calling":
        return _completion(_tool_call(call, text), "tool_calls")
    return _completion({"content": text})


def _tool_call(call: Call, arguments: str) -> dict[str, Any]:
    name = call.body["tools"][0]["function"]["name"] if call.body.get("tools") else "answer"
    function = {"name": name, "arguments": arguments}
    return {"content": None, "tool_calls": [{"id": "call_1", "type": "function", "function": function}]}


def _completion(message: Mapping[str, Any], finish_reason: str = "stop") -> ASGIApp:
    whole = {"role": "assistant", "refusal": None, **message}
    return JSONResponse(_envelope([{"index": 0, "message": whole, "logprobs": None, "finish_reason": finish_reason}]))


def _envelope(choices: list[Any]) -> dict[str, Any]:
    return {
        "id": "chatcmpl-simulated",
        "object": "chat.completion",
        "created": int(time()),
        "model": "simulated",
        "choices": choices,
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
    }
