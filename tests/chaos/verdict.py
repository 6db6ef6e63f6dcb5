"""The judge: everything that DESIGN section 3 promises and the rows do not keep, as one sentence each."""

from collections import Counter
from collections.abc import Iterator, Mapping

from storage.records import (
    Author,
    ConversationStatus,
    DeliveryStatus,
    Outcome,
    ReviewStatus,
    TurnStatus,
    Visibility,
)
from tests.chaos.trail import Row, Trail, by

ANSWERED = (Outcome.SENT, Outcome.REVIEWED)
UNSENT = (DeliveryStatus.FAILED, DeliveryStatus.CANCELLED)
PERSON_TAKES = ("conversation.handed-to-person", "conversation.taken-over", "review.escalate", "turn.handoff")


def faults(trail: Trail, acknowledged: Mapping[str, str]) -> list[str]:
    """What does not hold; nothing if all is well. `acknowledged`: text by external id of what was accepted."""
    return [
        *_messages(trail, acknowledged),
        *_outcomes(trail),
        *_replies(trail),
        *_decisions(trail),
        *_deliveries(trail),
        *_leftovers(trail),
        *_explanations(trail),
        *_silence(trail),
    ]


def _customers(trail: Trail) -> list[Row]:
    return [row for row in trail.messages if row["author"] == Author.CUSTOMER]


def _messages(trail: Trail, acknowledged: Mapping[str, str]) -> Iterator[str]:
    """Every acknowledged message is there, once, as it was written."""
    kept = by(_customers(trail), "external_id")
    for external_id, text in acknowledged.items():
        found = kept.get(external_id, [])
        if len(found) != 1:
            yield f"message {external_id} was acknowledged and is kept {len(found)} times"
        elif found[0]["text"] != text:
            yield f"message {external_id} is kept with other words"


def _outcomes(trail: Trail) -> Iterator[str]:
    """Every customer message ended in one turn, or a person has it."""
    turns = {row["id"]: row for row in trail.turns}
    conversations = {row["id"]: row for row in trail.conversations}
    for message in _customers(trail):
        conversation = conversations[message["conversation_id"]]
        turn = turns.get(message["turn_id"])
        with_person = conversation["status"] == ConversationStatus.ASSIGNED
        if turn is None:
            if not with_person and message["seq"] > conversation["answered_seq"]:
                yield f"message {message['id']} has no outcome"
        elif turn["status"] != TurnStatus.DONE or turn["outcome"] is None:
            yield f"message {message['id']} ended in turn {turn['id']}, which is {turn['status']}"
        elif turn["upto_seq"] < message["seq"]:
            yield f"message {message['id']} is tied to turn {turn['id']}, which never saw it"


def _replies(trail: Trail) -> Iterator[str]:
    """A turn that answered has one reply, after what it answers; replies are in the order of their turns."""
    spoken = [
        row
        for row in trail.messages
        if row["author"] in (Author.BOT, Author.AGENT) and row["visibility"] == Visibility.PUBLIC and row["turn_id"]
    ]
    replies = by(spoken, "turn_id")
    for turn in trail.turns:
        found = replies.get(turn["id"], [])
        expected = 1 if turn["outcome"] in ANSWERED else 0
        if len(found) != expected:
            yield f"turn {turn['id']} ({turn['outcome'] or turn['status']}) has {len(found)} replies"
        elif found and found[0]["seq"] <= turn["upto_seq"]:
            yield f"turn {turn['id']} replied before what it answers"
    upto = {turn["id"]: turn["upto_seq"] for turn in trail.turns}
    for conversation_id, said in by(spoken, "conversation_id").items():
        order = [upto[row["turn_id"]] for row in said]
        if order != sorted(set(order)):
            yield f"conversation {conversation_id} was answered out of order: {order}"


def _decisions(trail: Trail) -> Iterator[str]:
    """A decided review has its one decision, made on its own version."""
    made = by(trail.decisions, "review_id")
    for review in trail.reviews:
        found = made.get(review["id"], [])
        if len(found) != (review["status"] == ReviewStatus.DECIDED):
            yield f"review {review['id']} is {review['status']} with {len(found)} decisions"
        elif found and found[0]["based_on"] != review["version"]:
            yield f"review {review['id']} was decided on another version"


def _deliveries(trail: Trail) -> Iterator[str]:
    """Everything public that the desk said was delivered, in order, or stopped because a person took over."""
    found = {row["message_id"]: row for row in trail.deliveries}
    for message in trail.messages:
        if message["author"] != Author.CUSTOMER and message["visibility"] == Visibility.PUBLIC:
            status = found[message["id"]]["status"] if message["id"] in found else "missing"
            if status not in (DeliveryStatus.SENT, DeliveryStatus.CANCELLED):
                yield f"the delivery of message {message['id']} is {status}"
    for conversation_id, sent in by(trail.deliveries, "conversation_id").items():
        ends = [row["finished_at"] for row in sent if row["status"] == DeliveryStatus.SENT]
        if ends != sorted(ends):
            yield f"conversation {conversation_id} got its replies out of order"


def _leftovers(trail: Trail) -> Iterator[str]:
    """Nothing waits for a job, and only waiting turns have a checkpoint."""
    for turn in trail.turns:
        if turn["status"] in (TurnStatus.QUEUED, TurnStatus.DECIDED):
            yield f"turn {turn['id']} is left {turn['status']}"
        if turn["checkpointed"] and turn["status"] != TurnStatus.WAITING:
            yield f"turn {turn['id']} is {turn['status']} and has a checkpoint"
    waiting = by([turn for turn in trail.turns if turn["status"] == TurnStatus.WAITING], "conversation_id")
    for conversation_id, several in waiting.items():
        if len(several) > 1:
            yield f"{len(several)} turns of conversation {conversation_id} wait at once"


def _explanations(trail: Trail) -> Iterator[str]:
    """The audit trail has one line for each thing that happened; a delivery that went well is told by its own row."""
    told: Counter[tuple[str, str]] = Counter()
    for event in trail.events:
        data = event["data"]
        match event["kind"].split(".")[0]:
            case "message":
                told[(event["kind"], str(data.get("message_id")))] += 1
            case "delivery":
                told[(event["kind"], str(data.get("delivery_id")))] += 1
            case "review":
                told[(event["kind"], str(data.get("review_id")))] += 1
            case "turn":
                told[(event["kind"], str(event["turn_id"]))] += 1
            case _:
                pass
    expected = [("message.accepted", row["id"]) for row in _customers(trail)]
    expected += [("review.opened", row["id"]) for row in trail.reviews]
    expected += [(f"review.{row['kind']}", row["review_id"]) for row in trail.decisions]
    expected += [(f"delivery.{row['status']}", row["id"]) for row in trail.deliveries if row["status"] in UNSENT]
    expected += [(f"turn.{row['outcome']}", row["id"]) for row in trail.turns if row["outcome"]]
    for kind, row_id in expected:
        if told[(kind, row_id)] != 1:
            yield f"the audit trail says {kind} of {row_id} {told[(kind, row_id)]} times"


def _silence(trail: Trail) -> Iterator[str]:
    """After a person took a conversation the bot sends nothing alone until it is handed back."""
    for conversation_id, events in by(trail.events, "conversation_id").items():
        owned = False
        for event in events:
            if event["kind"] in PERSON_TAKES:
                owned = True
            elif event["kind"] in ("conversation.handed-back", "conversation.resolved", "conversation.closed"):
                owned = False
            elif owned and event["kind"] == f"turn.{Outcome.SENT}":
                yield f"the bot spoke in conversation {conversation_id} while a person had it"
