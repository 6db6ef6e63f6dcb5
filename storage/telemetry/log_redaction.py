"""Log redaction: an exception tells its kind and place, a library only what its source says.

Customers' words come in by ways that nobody foresees: in the message of an exception, in a payload that a library
prints, in the answer of a server. So nothing of that kind is written at all, whatever the level.
"""

import logging
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import PurePath
from traceback import extract_tb
from types import FrameType
from typing import Any

from structlog.typing import EventDict, WrappedLogger

WITHHELD = "words withheld"
PLACEHOLDER = "…"
REDACTED = "[secret]"
MAX_CHAIN = 6
"""Exceptions that are told of, each with the one that it was raised from."""

SECRET_PATTERNS = tuple(
    re.compile(shape)
    for shape in (
        r"xox[a-z]-[\w-]+",
        r"xapp-[\w-]+",
        r"sk-[\w-]{16,}",
        r"eyJ[\w-]+\.[\w-]+\.[\w-]+",
        r"\.[\w-]{6}\.[\w-]{27,}",
        r"Bearer \S+",
        r"://[^/\s:@]+:[^/\s@]+@",
    )
)
"""Slack's and OpenAI's tokens, JSON web tokens, what is secret of a Discord token, a header, the login in an address.

One after the other, each with a literal at its beginning: as alternatives of one pattern they take ten times as long.
"""


def redact_exceptions(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """`exc_info` becomes kinds and places; an exception given as a value becomes its kind, and its status if any."""
    error = _exception_from(event.pop("exc_info", None))
    event.pop("stack_info", None)
    for name, value in event.items():
        if isinstance(value, BaseException):
            event[name] = exception_summary(value)
    if error is not None:
        event["exception"] = "\n".join(_exception_lines(error))
    return event


def redact_library_messages(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Of a library's line only the words that are written in its source stay, and numbers."""
    record: logging.LogRecord = event["_record"]
    given = event.pop("positional_args", None)
    event["event"] = _source_text(record, given) or WITHHELD
    event["at"] = f"{_short_path(record.pathname)}:{record.lineno}"
    return event


def exception_summary(error: BaseException) -> str:
    """An exception without its words: its kind, and the status and code that some carry."""
    numbers = [
        str(value) for name in ("status", "status_code", "code") if isinstance(value := _attribute(error, name), int)
    ]
    return " ".join([type(error).__name__, *dict.fromkeys(numbers)])


class SecretRedactor:
    """Takes secrets out of a finished line: the known ones, and what has the shape of one."""

    def __init__(self, known: Iterable[str]) -> None:
        self._known = tuple(sorted((secret for secret in known if secret), key=len, reverse=True))

    def __call__(self, line: str) -> str:
        """The line without them."""
        for secret in self._known:
            line = line.replace(secret, REDACTED)
        for shape in SECRET_PATTERNS:
            line = shape.sub(REDACTED, line)
        return line


def _source_text(record: logging.LogRecord, given: Any) -> str | None:
    frame = _caller(record)
    # Only a text that stands in the code as it is; an f-string's result does not.
    if frame is None or record.msg not in frame.f_code.co_consts:
        return None
    if not given:
        return str(record.msg)
    try:
        return str(str(record.msg) % _safe_arguments(given))
    except (TypeError, ValueError, KeyError):
        return str(record.msg)


def _caller(record: logging.LogRecord) -> FrameType | None:
    frame: FrameType | None = sys._getframe()  # noqa: SLF001 - as logging itself finds its caller
    while frame and (frame.f_code.co_filename != record.pathname or frame.f_lineno != record.lineno):
        frame = frame.f_back
    return frame


def _safe_arguments(given: Any) -> Any:
    if isinstance(given, dict):
        return {name: _safe_value(value) for name, value in given.items()}
    return tuple(_safe_value(value) for value in given)


def _safe_value(value: Any) -> Any:
    return value if isinstance(value, int | float) else exception_summary(value) if _is_error(value) else PLACEHOLDER


def _is_error(value: Any) -> bool:
    return isinstance(value, BaseException)


def _exception_from(info: Any) -> BaseException | None:
    match info:
        case BaseException():
            return info
        case (_, BaseException() as error, _):
            return error
        case None | False | (None, None, None):
            return None
        case _:
            return sys.exc_info()[1]


def _exception_lines(error: BaseException) -> Iterator[str]:
    link: BaseException | None = error
    for _ in range(MAX_CHAIN):
        if link is None:
            return
        yield exception_summary(link)
        for frame in extract_tb(link.__traceback__):
            yield f"  {_short_path(frame.filename)}:{frame.lineno} in {frame.name}"
        if isinstance(link, BaseExceptionGroup):
            yield f"  of {', '.join(exception_summary(part) for part in link.exceptions)}"
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


def _short_path(filename: str) -> str:
    """The end of a path, which says enough and not where the desk is installed."""
    parts = PurePath(filename).parts
    start = parts.index("site-packages") + 1 if "site-packages" in parts else -2
    return "/".join(parts[start:])


def _attribute(error: BaseException, name: str) -> object:
    try:
        return getattr(error, name, None)
    except Exception:  # noqa: BLE001 - some libraries compute it, and may fail
        return None
