"""What every log line of a piece of work carries: the ids of what it is about."""

from contextlib import AbstractContextManager

from structlog.contextvars import bound_contextvars


def log_fields(**ids: str | None) -> AbstractContextManager[None]:
    """Every line logged in the block names these; one that is None is left out."""
    return bound_contextvars(**{name: value for name, value in ids.items() if value is not None})
