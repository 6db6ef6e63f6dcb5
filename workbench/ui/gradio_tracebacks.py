"""Log redaction for Gradio: it prints the exceptions of its events with their words, which may be a customer's."""

import sys

import gradio.queueing
import structlog

log = structlog.get_logger(__name__)


class LoggedTracebacks:
    """Stands where Gradio's queue has Python's `traceback`: one line of the log, redacted as every other."""

    def print_exc(self) -> None:
        """The exception that is being handled."""
        log.warning("gradio event failed", exc_info=sys.exception())


def log_gradio_tracebacks() -> None:
    """Gradio offers no setting: what it refuses of an event's data it prints, whatever `show_error` says."""
    vars(gradio.queueing)["traceback"] = LoggedTracebacks()
