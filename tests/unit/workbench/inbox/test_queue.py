"""The queue's rules, what an agent may do when, and that what people wrote is shown as text."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from storage.records import (
    Author,
    Conversation,
    ConversationStatus,
    Customer,
    Decision,
    DecisionKind,
    Draft,
    Member,
    Message,
    Priority,
    Review,
    ReviewStatus,
    Role,
    Triage,
    Visibility,
)
from workbench.inbox.action_panel import panel_of
from workbench.inbox.conversation_view import message_html
from workbench.inbox.queue import (
    QueueFilter,
    QueueItem,
    QueueView,
    in_order,
    matches,
)
from workbench.inbox.queue_view import item_html, queue_html, waiting_reason
from workbench.ui.html import esc, markdown
from workbench.ui.labels import confidence_label

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
ME = Member("me", "w", "me@x.example", "Me", Role.AGENT)
CONVERSATION = Conversation(
    id="c",
    workspace_id="w",
    channel="web",
    thread="t",
    customer=Customer("k", "w", "web", "e", "Ada", "ada@x.example"),
    status=ConversationStatus.PENDING,
    subject="Export",
    intent="question",
    priority=Priority.MEDIUM,
    assignee_id=None,
    assignee_name=None,
    summary="",
    bot_turns=0,
    created_at=NOON,
    updated_at=NOON,
    first_line="How do I export?",
)
REVIEW = Review(
    id="r",
    workspace_id="w",
    conversation_id="c",
    turn_id="t",
    version=1,
    status=ReviewStatus.PENDING,
    draft=Draft(text="Open Settings.", can_answer=True, confidence=0.8),
    held_because=("The intent `refund` always needs a person.",),
    question="How do I export?",
    triage=Triage(intent="refund"),
    created_at=NOON,
)
HELD = QueueItem(CONVERSATION, REVIEW)
NOBODYS = QueueItem(replace(CONVERSATION, status=ConversationStatus.ASSIGNED), None)
MINE = QueueItem(replace(NOBODYS.conversation, assignee_id="me", assignee_name="Me"), None)
WAITING = replace(MINE.conversation, waiting_since=NOON)
OTHERS = QueueItem(replace(NOBODYS.conversation, assignee_id="you", assignee_name="You"), None)
CLAIMED = QueueItem(CONVERSATION, replace(REVIEW, claimed_by="Me", claimed_by_id="me"))


@pytest.mark.parametrize(
    ("show", "cards"),
    [
        (QueueView.WAITING, [HELD, NOBODYS, MINE, CLAIMED]),
        (QueueView.REVIEWS, [HELD, CLAIMED]),
        (QueueView.UNASSIGNED, [NOBODYS]),
        (QueueView.MINE, [MINE, CLAIMED]),
        (QueueView.OTHERS, [OTHERS]),
    ],
)
def test_each_list_shows_its_own_conversations(show: QueueView, cards: list[QueueItem]) -> None:
    everything = (HELD, NOBODYS, MINE, OTHERS, CLAIMED)
    assert [card for card in everything if matches(card, QueueFilter(show=show), ME)] == cards


@pytest.mark.parametrize(
    ("queue_filter", "found"),
    [
        (QueueFilter(search="EXPORT ada"), True),
        (QueueFilter(search="ada import"), False),
        (QueueFilter(priority=Priority.MEDIUM, channel="web", intent="refund"), True),
        (QueueFilter(priority=Priority.HIGH), False),
        (QueueFilter(channel="slack"), False),
        (QueueFilter(intent="question"), False),
    ],
)
def test_filters_and_search_must_all_match(queue_filter: QueueFilter, *, found: bool) -> None:
    assert matches(HELD, queue_filter, ME) is found


def test_urgent_comes_first_then_the_longest_waiting() -> None:
    early, late = (QueueItem(CONVERSATION, replace(REVIEW, created_at=NOON + timedelta(hours=h))) for h in (1, 2))
    urgent = QueueItem(
        replace(CONVERSATION, priority=Priority.HIGH), replace(REVIEW, created_at=NOON + timedelta(hours=3))
    )
    assert in_order([late, urgent, early], QueueView.WAITING) == (urgent, early, late)


def test_the_age_is_how_long_the_customer_waits_and_the_answered_come_last() -> None:
    hours = [NOON + timedelta(hours=hour) for hour in range(4)]
    waiting = [
        QueueItem(replace(NOBODYS.conversation, updated_at=hours[3], waiting_since=hours[1]), None),
        QueueItem(replace(CONVERSATION, waiting_since=hours[0]), replace(REVIEW, created_at=hours[2])),
    ]
    answered = QueueItem(replace(MINE.conversation, priority=Priority.HIGH, updated_at=hours[0]), None)
    assert [card.since for card in (*waiting, answered)] == [hours[1], hours[0], hours[0]]
    assert in_order([answered, *waiting], QueueView.WAITING) == (waiting[1], waiting[0], answered)
    assert waiting_reason(answered, ME) == "You have this conversation; the customer is answered."


def test_a_waiting_draft_offers_the_decisions_and_an_empty_one_cannot_be_approved() -> None:
    panel = panel_of(CONVERSATION, REVIEW, ME)
    assert panel.actions == ("approve", "edit", "reject", "take_over", "dismiss", "claim")
    assert (panel.review_id, panel.version, panel.text) == ("r", 1, "Open Settings.")
    assert "approve" not in panel_of(CONVERSATION, replace(REVIEW, draft=Draft()), ME).actions
    assert "release" in panel_of(CONVERSATION, CLAIMED.review, ME).actions


def test_only_who_has_a_conversation_or_everybody_if_nobody_has_may_reply() -> None:
    assert "reply" in panel_of(MINE.conversation, None, ME).actions
    assert "reply" in panel_of(NOBODYS.conversation, None, ME).actions
    assert panel_of(OTHERS.conversation, None, ME).actions == ("take_over",)
    assert panel_of(MINE.conversation, REVIEW, ME).mode == "reply"


def test_a_decided_review_says_who_handled_it() -> None:
    decision = Decision(kind=DecisionKind.EDIT, member_name="Bert")
    decided = replace(REVIEW, status=ReviewStatus.DECIDED, decision=decision, decided_at=NOON)
    answered = replace(CONVERSATION, status=ConversationStatus.OPEN)
    assert panel_of(answered, decided, ME).hint == "Already handled: Bert sent an edited reply."


def test_a_card_says_why_a_person_is_needed() -> None:
    assert waiting_reason(HELD, ME) == "The intent “refund” always needs a person."
    assert waiting_reason(QueueItem(WAITING, None), ME) == "You have this conversation."
    assert waiting_reason(OTHERS, ME) == "You has this conversation; the customer is answered."


def test_a_card_says_that_its_customer_waits_too_long() -> None:
    late = QueueItem(replace(WAITING, is_overdue=True), None)
    assert ">overdue<" in item_html(late, ME)
    assert ">overdue<" not in item_html(QueueItem(WAITING, None), ME)


@pytest.mark.parametrize("show", list(QueueView))
def test_every_empty_list_says_what_it_means(show: QueueView) -> None:
    assert "dh-empty" in queue_html((), QueueFilter(show=show), ME)
    assert "Nothing matches these filters" in queue_html((), QueueFilter(show=show, search="x"), ME)


def test_what_people_wrote_is_text_on_cards_and_in_bubbles() -> None:
    attack = "<script>x</script>\"'><img src=x>"
    customer = replace(CONVERSATION.customer, name=attack)
    card = QueueItem(replace(CONVERSATION, customer=customer, id=attack), replace(REVIEW, question=attack))
    message = Message("m", "w", "c", 1, Author.CUSTOMER, Visibility.PUBLIC, attack, NOON)
    for html in (item_html(card, ME), *(message_html(replace(message, author=who), attack) for who in Author)):
        assert "<script>" not in html
        assert "<img" not in html
        assert esc("<script>x") in html


@pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "vbscript:x", "JaVaScRiPt:x"])
def test_markdown_makes_no_dangerous_links_or_images(link: str) -> None:
    assert "<a " not in markdown(f"[click]({link})")
    assert "<img" not in markdown("![x](https://evil.example/x.png)")
    assert '<a href="https://x.example">' in markdown("[ok](https://x.example)")


def test_confidence_has_words_and_no_answer_is_not_called_likely() -> None:
    assert confidence_label(Draft(can_answer=True, confidence=0.93)) == ("Very likely right", "ok")
    assert confidence_label(Draft(can_answer=True, confidence=0.2))[1] == "danger"
    assert confidence_label(Draft(can_answer=False, confidence=0.99))[0] == "No answer found"
