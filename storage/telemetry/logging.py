"""Structured logging: plain lines for people or JSON for machines; never customer text, never secrets."""

import logging
import sys
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import TextIO

import structlog
from pydantic import BaseModel, SecretStr
from structlog.stdlib import ProcessorFormatter

from storage.settings import Settings
from storage.telemetry.log_redaction import SecretRedactor, redact_exceptions, redact_library_messages

OWN_LOGGERS = ("bot", "commands", "deskhand", "graph", "storage", "workbench", "__main__")
MIN_SECRET_LENGTH = 6
"""A shorter one would blot out ordinary words."""


def set_up_logging(settings: Settings, *, quiet: bool = False) -> None:
    """Send structlog's and the libraries' lines to standard error in one form.

    Libraries are heard from `warning` on, whatever `log.level` says: below that they tell of every request, and some
    of its content. `quiet`: nothing below `warning` from the desk either, for a terminal that people write in.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            redact_exceptions,
            ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = _Handler(sys.stderr)
    handler.setFormatter(_Formatter(settings, shared))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    for name in OWN_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING if quiet else settings.log.level.upper())
    _log_uncaught_exceptions()


def _log_uncaught_exceptions() -> None:
    """Python's own way is to print an exception with its words."""
    log = structlog.get_logger(__name__)

    def stopped(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not issubclass(kind, KeyboardInterrupt):
            log.critical("the process stops", exc_info=(kind, error, trace))

    def thread_stopped(args: threading.ExceptHookArgs) -> None:
        log.error("a thread stopped", exc_info=args.exc_value)

    def ignored(args: "sys.UnraisableHookArgs") -> None:
        log.error("an exception could not be raised", exc_info=args.exc_value)

    sys.excepthook, threading.excepthook, sys.unraisablehook = stopped, thread_stopped, ignored


class _Handler(logging.StreamHandler[TextIO]):
    """Hears libraries from `warning` on, and does not print what it could not write."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Some libraries lower the level of their loggers themselves."""
        ours = record.name.partition(".")[0] in OWN_LOGGERS
        return (ours or record.levelno >= logging.WARNING) and bool(super().filter(record))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Say whose line it was, without the line."""
        self.stream.write(f'{{"event": "a line could not be written", "logger": "{record.name}"}}\n')


class _Formatter(ProcessorFormatter):
    """Renders a line and takes secrets out of it."""

    def __init__(self, settings: Settings, shared: list[structlog.typing.Processor]) -> None:
        as_json = settings.log.format == "json"
        renderer: structlog.typing.Processor = (
            structlog.processors.JSONRenderer(ensure_ascii=False)
            if as_json
            else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        )
        super().__init__(
            foreign_pre_chain=[*shared, redact_library_messages, redact_exceptions],
            processors=[ProcessorFormatter.remove_processors_meta, renderer],
            pass_foreign_args=True,
            use_get_message=False,
        )
        self._redact = SecretRedactor(secrets_of(settings))

    def format(self, record: logging.LogRecord) -> str:
        """The finished line."""
        return self._redact(super().format(record))


def secrets_of(settings: Settings) -> set[str]:
    """Every secret that the settings hold, and the database's password."""
    # Here and not above: SQLAlchemy takes half a second to import, which `--help` need not wait for.
    from sqlalchemy import make_url  # noqa: PLC0415

    found = {*_secrets(settings), make_url(settings.database_url).password or ""}
    return {secret for secret in found if len(secret) >= MIN_SECRET_LENGTH}


def _secrets(section: BaseModel) -> Iterator[str]:
    for name in type(section).model_fields:
        match getattr(section, name):
            case SecretStr() as secret:
                yield secret.get_secret_value()
            case BaseModel() as inner:
                yield from _secrets(inner)
