"""What the monitoring page says of turns, deliveries, documents and the audit trail."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from storage.records import (
    AuditEvent,
    DeliveryStatus,
    Document,
    DocumentStatus,
    Outcome,
    RejectedRow,
    TurnStatus,
)
from storage.reporting.activity import AuditLine, Undelivered
from storage.reporting.monitoring import (
    Backlog,
    Dashboard,
    ProcessSummary,
    TurnTrace,
)
from workbench.monitoring.view import (
    dashboard_html,
    events_html,
    turns_html,
    undelivered_html,
    unready_documents_html,
)

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
NOTHING = Backlog(0, None)
TRACE = TurnTrace("t", "c", TurnStatus.DONE, Outcome.SENT, 1, NOON, NOON, (), ())
SUMMARY = ProcessSummary(
    turn_id="t",
    conversation_id="c",
    status=TurnStatus.DONE,
    outcome=Outcome.SENT,
    created_at=NOON,
    finished_at=NOON + timedelta(minutes=2),
    version=1,
    confidence=0.876,
    intent="refund",
    priority=None,
    model=None,
    prompt_version=None,
    decision=None,
)
FAILURE = Undelivered("c", "Cleo", "slack", DeliveryStatus.FAILED, 4, "channel_not_found", NOON)


def document(status: DocumentStatus, error: str | None = None) -> Document:
    return Document("d", "w", f"{status}.md", status, 0, (RejectedRow(2, "no"),), error, 1, NOON)


def line(kind: str, subject: str = "", member: str = "") -> AuditLine:
    return AuditLine(AuditEvent("e", "w", kind, NOON), subject, member)


def test_the_dashboard_counts_deliveries_of_all_channels_each_by_its_end() -> None:
    counts = dict.fromkeys(DeliveryStatus, 0)
    html = dashboard_html(
        Dashboard(
            queue=Backlog(3, 90),
            customers=NOTHING,
            reviews=Backlog(1, 0.5),
            deliveries={
                "slack": {**counts, DeliveryStatus.SENT: 40, DeliveryStatus.FAILED: 1},
                "web": {**counts, DeliveryStatus.SENT: 2, DeliveryStatus.PENDING: 9},
            },
            documents={**dict.fromkeys(DocumentStatus, 0), DocumentStatus.LOADING: 5, DocumentStatus.READY: 8},
        )
    )
    assert "<b>42</b><span>replies delivered in 24 hours</span>" in html
    assert "<b>1</b><span>deliveries failed in 24 hours</span>" in html
    assert "<b>5</b><span>documents loading</span>" in html
    assert "<b>3</b><span>messages in the queue, the oldest for 1.5 min</span>" in html
    assert "<b>0</b><span>customers without an answer</span>" in html
    assert "<b>1</b><span>drafts to review, the oldest for 0.5 s</span>" in html


def test_an_ended_turn_shows_its_outcome_and_its_figures() -> None:
    html = turns_html([TRACE], [SUMMARY])
    for words in ("Bot alone", "nothing held it", "<td>refund</td>", "<td>88%</td>", "<td>2 min</td>"):
        assert words in html


def test_a_turn_that_has_not_ended_shows_its_status_and_no_figures() -> None:
    waiting = replace(TRACE, status=TurnStatus.WAITING, outcome=None, reasons=("`refund` is", "watched"))
    html = turns_html([waiting], [replace(SUMMARY, turn_id="another")])
    assert "Waits for a person" in html
    assert "“refund” is watched" in html
    assert html.count("<td>-</td>") == 3


def test_a_confidence_of_nothing_is_a_figure_and_none_is_not() -> None:
    assert "<td>0%</td>" in turns_html([TRACE], [replace(SUMMARY, confidence=0.0)])
    assert "<td>-</td>" in turns_html([TRACE], [replace(SUMMARY, confidence=None)])


@pytest.mark.parametrize(
    ("status", "words"), [(DeliveryStatus.FAILED, "Failed"), (DeliveryStatus.PENDING, "Trying again")]
)
def test_a_reply_that_did_not_arrive_says_whether_it_is_tried_again(status: DeliveryStatus, words: str) -> None:
    html = undelivered_html([replace(FAILURE, status=status, customer_name="")])
    assert f">{words}</span>" in html
    assert "<td>Visitor</td><td>slack</td>" in html
    assert "<td>4</td><td>channel_not_found</td>" in html


def test_only_documents_that_are_not_ready_are_listed_with_their_reason() -> None:
    html = unready_documents_html([document(status, "too long") for status in DocumentStatus])
    assert '<td>failed.md</td><td><span class="dh-chip danger">Failed</span></td><td>too long</td>' in html
    assert '<td>loading.md</td><td><span class="dh-chip accent">Loading</span></td>' in html
    assert "ready.md" not in html
    assert "Every document is ready" in unready_documents_html([document(DocumentStatus.READY)])


def test_a_line_of_the_trail_says_what_was_done_by_whom() -> None:
    html = events_html([line("delivery.gave-up", "Late parcel", "Ada"), line("turn.done")])
    assert "<td>delivery · gave up</td><td>Ada</td><td>Late parcel</td>" in html
    assert '<td>turn · done</td><td><span class="dh-muted">the desk</span></td>' in html


def test_what_is_empty_says_so() -> None:
    assert "No message has come in yet" in turns_html([], [])
    assert "Every reply has arrived" in undelivered_html([])
    assert "The trail is empty" in events_html([])


def test_what_customers_and_platforms_wrote_is_text_on_the_page() -> None:
    attack = "<script>x</script>"
    hostile = replace(document(DocumentStatus.FAILED, attack), filename=attack)
    for html in (
        turns_html([replace(TRACE, reasons=(attack,))], [replace(SUMMARY, intent=attack)]),
        undelivered_html([replace(FAILURE, customer_name=attack, error=attack)]),
        unready_documents_html([hostile]),
        events_html([line(attack, attack, attack)]),
    ):
        assert "&lt;script&gt;" in html
        assert "<script>" not in html
