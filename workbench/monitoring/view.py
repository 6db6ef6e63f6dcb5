"""The dashboard, traces and audit trail as HTML."""

from collections.abc import Sequence

from storage.records import (
    DeliveryStatus,
    Document,
    DocumentStatus,
    Outcome,
    TurnStatus,
)
from storage.reporting.activity import AuditLine, Undelivered
from storage.reporting.monitoring import (
    Backlog,
    Dashboard,
    ProcessSummary,
    TurnTrace,
)
from workbench.ui.html import (
    chip,
    empty_state,
    esc,
    metric_tiles,
    plain_reason,
    relative_time,
    table,
)
from workbench.ui.labels import NO_VALUE, duration_text

OUTCOME_CHIPS = {
    Outcome.SENT: ("Bot alone", "ok"),
    Outcome.REVIEWED: ("Reviewed", "warn"),
    Outcome.DISMISSED: ("Dismissed", ""),
    Outcome.HANDOFF: ("By hand", "accent"),
    Outcome.SILENCED: ("Silenced: a person had taken over", "accent"),
}
TURN_STATUS_CHIPS = {
    TurnStatus.QUEUED: ("Queued", "accent"),
    TurnStatus.WAITING: ("Waits for a person", "warn"),
    TurnStatus.DECIDED: ("Taking effect", "accent"),
    TurnStatus.DONE: ("Done", "ok"),
    TurnStatus.SUPERSEDED: ("Overtaken", ""),
}


def dashboard_html(dashboard: Dashboard) -> str:
    """How much waits, and how old the oldest is."""
    failed = sum(counts[DeliveryStatus.FAILED] for counts in dashboard.deliveries.values())
    sent = sum(counts[DeliveryStatus.SENT] for counts in dashboard.deliveries.values())
    tiles = (
        _waiting(dashboard.queue, "messages in the queue"),
        _waiting(dashboard.customers, "customers without an answer"),
        _waiting(dashboard.reviews, "drafts to review"),
        (str(sent), "replies delivered in 24 hours"),
        (str(failed), "deliveries failed in 24 hours"),
        (str(dashboard.documents[DocumentStatus.LOADING]), "documents loading"),
    )
    return metric_tiles(tiles)


def _waiting(waiting: Backlog, words: str) -> tuple[str, str]:
    oldest = "" if waiting.oldest_seconds is None else f", the oldest for {duration_text(waiting.oldest_seconds)}"
    return str(waiting.count), words + oldest


def turns_html(traces: Sequence[TurnTrace], summaries: Sequence[ProcessSummary]) -> str:
    """The latest turns: how each went and why."""
    if not traces:
        return empty_state("No message has come in yet", "Each message shows here with what became of it and why.")
    figures = {summary.turn_id: summary for summary in summaries}
    rows = [_turn(trace, figures.get(trace.turn_id)) for trace in traces]
    return table(("When", "Outcome", "Why", "Intent", "Confidence", "Took"), rows)


def _turn(trace: TurnTrace, summary: ProcessSummary | None) -> tuple[str, ...]:
    words, tone = OUTCOME_CHIPS[trace.outcome] if trace.outcome else TURN_STATUS_CHIPS[trace.status]
    confidence = f"{summary.confidence:.0%}" if summary and summary.confidence is not None else NO_VALUE
    return (
        relative_time(trace.created_at),
        chip(words, tone),
        esc(plain_reason(" ".join(trace.reasons))) or '<span class="dh-muted">nothing held it</span>',
        esc(summary.intent if summary and summary.intent else NO_VALUE),
        confidence,
        duration_text(summary.seconds if summary else None),
    )


def undelivered_html(failures: Sequence[Undelivered]) -> str:
    """Replies that did not arrive."""
    if not failures:
        return empty_state("Every reply has arrived", "Replies that a channel refuses show here with the reason.")
    rows = [
        (
            relative_time(failure.created_at),
            esc(failure.customer_name or "Visitor"),
            esc(failure.channel),
            chip("Failed", "danger") if failure.status is DeliveryStatus.FAILED else chip("Trying again", "warn"),
            str(failure.attempts),
            esc(failure.error),
        )
        for failure in failures
    ]
    return table(("When", "Customer", "Channel", "State", "Tries", "Reason"), rows)


def unready_documents_html(documents: Sequence[Document]) -> str:
    """Documents that are not ready."""
    rows = [
        (
            esc(document.filename),
            chip("Failed", "danger") if document.status is DocumentStatus.FAILED else chip("Loading", "accent"),
            esc(document.error or ""),
        )
        for document in documents
        if document.status is not DocumentStatus.READY
    ]
    if not rows:
        return empty_state("Every document is ready", "Documents that load or failed to load show here.")
    return table(("Document", "State", "Reason"), rows)


def events_html(lines: Sequence[AuditLine]) -> str:
    """The latest lines of the audit trail."""
    if not lines:
        return empty_state("The trail is empty", "Everything that people and the desk do is written here.")
    rows = [
        (
            relative_time(line.event.at),
            esc(line.event.kind.replace(".", " · ").replace("-", " ")),
            esc(line.member_name) or '<span class="dh-muted">the desk</span>',
            esc(line.subject),
        )
        for line in lines
    ]
    return table(("When", "What", "Who", "Conversation"), rows)
