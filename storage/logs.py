"""Logs of this process: plain lines for people or JSON for machines; never customer text, never secrets."""

import logging
import sys

import structlog

from storage.settings import LogSettings

LIBRARIES_AT_WARNING = ("httpx", "httpcore", "openai", "chromadb", "uvicorn", "alembic", "gradio", "asyncio", "bm25s")
"""Their info lines tell of every request, some with its address."""


def set_up_logging(settings: LogSettings) -> None:
    """Send structlog's and the libraries' lines to standard error in one form."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if settings.format == "json" else structlog.dev.ConsoleRenderer()
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    logging.basicConfig(level=settings.level.upper(), handlers=[handler], force=True)
    for name in LIBRARIES_AT_WARNING:
        logging.getLogger(name).setLevel(logging.WARNING)
