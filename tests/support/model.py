"""What must hold of the desk (DESIGN section 3), said without the desk: by what was told to it and what it then did."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from storage.database.engine import Database
from storage.database.tables import (
    audit_events,
    conversations,
    decisions,
    deliveries,
    drafts,
    messages,
    reviews,
    turns,
)
from storage.errors import AlreadyDecidedError, StaleError
from storage.records import (
    Author,
    ConversationStatus,
    DecisionKind,
    Outcome,
    Review,
    ReviewStatus,
    TurnStatus,
    Visibility,
)

OVER = (TurnStatus.DONE, TurnStatus.SUPERSEDED)
UNDER_WAY = (TurnStatus.QUEUED, TurnStatus.DECIDED)
SETTLED = (ConversationStatus.RESOLVED, ConversationStatus.CLOSED)


@dataclass
class Seen:
    """A review as it was when it was first seen."""

    review: Review
    customer_seq: int
    """The newest customer message that it can be about."""
    epoch: int
    decided_by: str = ""


@dataclass
class Model:
    """What was told to the desk, and so what it must answer to each act."""

    accepted: dict[str, str] = field(default_factory=dict)
    """Message ids by the platform's."""
    newest: dict[str, int] = field(default_factory=dict)
    """The last customer message of each conversation."""
    epochs: Counter[str] = field(default_factory=Counter)
    """How often people changed whose conversation it is, which overtakes every draft."""
    settled: dict[str, int] = field(default_factory=dict)
    """Up to which message a conversation was resolved or closed."""
    seen: dict[str, Seen] = field(default_factory=dict)

    def see(self, review: Review) -> None:
        """A review has appeared."""
        where = review.conversation_id
        self.seen.setdefault(review.id, Seen(review, self.newest[where], self.epochs[where]))

    def decided(self, review: Review, kind: DecisionKind, by: str) -> None:
        """A person has decided."""
        self.seen[review.id].decided_by = by
        if kind is DecisionKind.ESCALATE:
            self.epochs[review.conversation_id] += 1

    def acted(self, conversation_id: str, act: str, before: ConversationStatus) -> None:
        """Somebody has done something with a conversation that was in this state."""
        if act == "take over" or (act == "ask for a person" and before is not ConversationStatus.ASSIGNED):
            self.epochs[conversation_id] += 1
        elif act == "close" or (act == "resolve" and before not in SETTLED):
            self.epochs[conversation_id] += 1
            self.settled[conversation_id] = self.newest[conversation_id]

    def expected(self, review: Review, based_on: int) -> type[Exception] | None:
        """What a decision on this review must raise."""
        seen = self.seen[review.id]
        if seen.decided_by:
            return AlreadyDecidedError
        overtaken = self.newest[review.conversation_id] > seen.customer_seq
        taken = self.epochs[review.conversation_id] != seen.epoch
        return StaleError if overtaken or taken or based_on != review.version else None


class Rows:
    """Everything that the desk has written, read at once."""

    def __init__(self, found: dict[str, list[Any]]) -> None:
        self.conversations = found["conversations"]
        self.messages = found["messages"]
        self.audit_events = found["audit_events"]
        self.turns = {row.id: row for row in found["turns"]}
        self.drafts = {row.id: row for row in found["drafts"]}
        self.reviews = {row.id: row for row in found["reviews"]}
        self.decisions = found["decisions"]
        self.deliveries = {row.message_id: row for row in found["deliveries"]}

    @classmethod
    async def read(cls, database: Database) -> "Rows":
        """As of one moment."""
        tables = (conversations, messages, audit_events, turns, drafts, reviews, decisions, deliveries)
        async with database.read() as connection:
            return cls({table.name: list(await connection.execute(select(table))) for table in tables})

    def of(self, conversation_id: str) -> list[Any]:
        """The messages of a conversation in order."""
        return sorted((row for row in self.messages if row.conversation_id == conversation_id), key=lambda row: row.seq)


def always(rows: Rows, posts: list[tuple[str, str, int]]) -> list[str]:
    """What is wrong, whatever is still under way. A post is (delivery, thread's conversation, seq)."""
    return [*_posts(posts), *_turns(rows), *_decisions(rows)]


def _posts(posts: list[tuple[str, str, int]]) -> list[str]:
    wrong = [f"posted {n} times: {delivery}" for delivery, n in Counter(post[0] for post in posts).items() if n > 1]
    by_conversation: defaultdict[str, list[int]] = defaultdict(list)
    for _, conversation_id, seq in posts:
        by_conversation[conversation_id].append(seq)
    return wrong + [f"out of order: {seqs}" for seqs in by_conversation.values() if seqs != sorted(seqs)]


def _turns(rows: Rows) -> list[str]:
    wrong = []
    replies = Counter(row.turn_id for row in rows.messages if row.author != Author.CUSTOMER and row.turn_id)
    ended = Counter(row.turn_id for row in rows.audit_events if row.kind.startswith("turn."))
    for turn in rows.turns.values():
        answers = turn.outcome in (Outcome.SENT, Outcome.REVIEWED)
        if replies[turn.id] != answers:
            wrong.append(f"a turn with outcome {turn.outcome} has {replies[turn.id]} replies")
        if turn.status == TurnStatus.DONE and ended[turn.id] != 1:
            wrong.append(f"a turn with outcome {turn.outcome} ended {ended[turn.id]} times in the audit trail")
    queued = Counter(turn.conversation_id for turn in rows.turns.values() if turn.status == TurnStatus.QUEUED)
    return wrong + [f"{number} turns are queued in one conversation" for number in queued.values() if number > 1]


def _decisions(rows: Rows) -> list[str]:
    wrong = []
    replies = {row.turn_id: row for row in rows.messages if row.author in (Author.BOT, Author.AGENT) and row.turn_id}
    for decision in rows.decisions:
        review = rows.reviews[decision.review_id]
        reply = replies.get(review.turn_id)
        if reply is None or reply.draft_id != review.draft_id:
            continue
        match decision.kind:
            case DecisionKind.APPROVE if reply.text != rows.drafts[review.draft_id].text:
                wrong.append(f"approved {rows.drafts[review.draft_id].text!r}, sent {reply.text!r}")
            case DecisionKind.EDIT if reply.text != decision.text:
                wrong.append(f"edited to {decision.text!r}, sent {reply.text!r}")
            case DecisionKind.REJECT | DecisionKind.ESCALATE | DecisionKind.DISMISS:
                wrong.append(f"sent a draft that was decided with {decision.kind}")
    return wrong


def at_rest(rows: Rows, model: Model, posted: set[str], checkpoints: set[str]) -> list[str]:
    """What is wrong when nothing is under way any more; `posted` are deliveries, `checkpoints` turns."""
    wrong = [f"a turn stays {turn.status}" for turn in rows.turns.values() if turn.status in UNDER_WAY]
    wrong += [f"a reply stays {row.status}" for row in rows.deliveries.values() if row.status == "pending"]
    wrong += [f"sent, but not posted: {row.id}" for row in rows.deliveries.values() if _is_sent(row, posted)]
    kept = {row.external_id for row in rows.messages if row.author == Author.CUSTOMER}
    wrong += [f"lost: {external_id}" for external_id in model.accepted if external_id not in kept]
    waiting = {turn.id for turn in rows.turns.values() if turn.status == TurnStatus.WAITING}
    if checkpoints != waiting:
        wrong.append(
            f"{len(waiting)} turns wait, checkpoints more {checkpoints - waiting} less {waiting - checkpoints}"
        )
    for conversation in rows.conversations:
        wrong += _conversation(rows, model, conversation, posted)
    return wrong


def _is_sent(row: Any, posted: set[str]) -> bool:
    return bool(row.status == "sent" and row.id not in posted)


def _conversation(rows: Rows, model: Model, conversation: Any, posted: set[str]) -> list[str]:
    status, wrong = conversation.status, []
    pending = [
        row
        for row in rows.reviews.values()
        if row.conversation_id == conversation.id and row.status == ReviewStatus.PENDING
    ]
    if len(pending) != (status == ConversationStatus.PENDING):
        wrong.append(f"a conversation that is {status} has {len(pending)} pending reviews")
    if pending and rows.turns[pending[0].turn_id].upto_seq != conversation.customer_seq:
        wrong.append("a pending review is not about the newest message")
    is_waiting = status in (ConversationStatus.PENDING, ConversationStatus.ASSIGNED)
    if not is_waiting and conversation.answered_seq < conversation.customer_seq:
        wrong.append(f"stranded: {status}, answered {conversation.answered_seq} of {conversation.customer_seq}")
    for message in rows.of(conversation.id):
        if message.author == Author.CUSTOMER:
            wrong += _message(rows, model, conversation, message, posted)
    return wrong


def _message(rows: Rows, model: Model, conversation: Any, message: Any, posted: set[str]) -> list[str]:
    """The one outcome of a customer's message."""
    thread = rows.of(conversation.id)
    replies = [row for row in thread if row.draft_id and _is_about(rows, row, message)]
    seen = [row for row in replies if rows.deliveries[row.id].id in posted]
    by_hand = [row for row in thread if _is_by_hand(row) and row.seq > message.seq]
    dismissed = [draft for draft in rows.drafts.values() if _is_dismissed(rows, draft, message)]
    settled = message.seq <= model.settled.get(conversation.id, 0)
    wrong = []
    if len(seen) > 1:
        wrong.append(f"answered {len(seen)} times: {message.text}")
    if seen and by_hand and by_hand[0].seq < seen[0].seq:
        wrong.append(f"a person had answered already: {message.text}")
    ended = [row for row in replies if _is_marked(rows.deliveries[row.id])]
    if message.seq <= conversation.answered_seq and not (seen or ended or by_hand or dismissed or settled):
        wrong.append(f"answered by nothing: {message.text}")
    if Counter(row.data.get("message_id") for row in rows.audit_events)[message.id] != 1:
        wrong.append(f"not accepted once in the audit trail: {message.text}")
    return wrong


def _is_marked(delivery: Any) -> bool:
    """The platform did not take it, or nobody knows whether it had when a person took over: members are told."""
    return bool(delivery.status == "failed" or (delivery.status == "cancelled" and delivery.attempts))


def _is_about(rows: Rows, reply: Any, message: Any) -> bool:
    return message.text in rows.drafts[reply.draft_id].question.split("\n")


def _is_by_hand(row: Any) -> bool:
    return bool(row.author == Author.AGENT and row.turn_id is None and row.visibility == Visibility.PUBLIC)


def _is_dismissed(rows: Rows, draft: Any, message: Any) -> bool:
    decided = {rows.reviews[row.review_id].draft_id for row in rows.decisions if row.kind == DecisionKind.DISMISS}
    return draft.id in decided and message.text in draft.question.split("\n")
