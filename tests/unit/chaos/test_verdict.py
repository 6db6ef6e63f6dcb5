"""The judge of the chaos tests finds each kind of fault: a storm that it calls clean was looked at."""

from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta

import pytest

from tests.chaos.trail import Row, Trail
from tests.chaos.verdict import faults

START = datetime(2026, 1, 1, tzinfo=UTC)
ACKNOWLEDGED = {"x1": "How do I log in?", "x2": "And out?"}


def at(second: int) -> datetime:
    return START + timedelta(seconds=second)


def event(kind: str, second: int, turn: str | None = None, **data: str) -> Row:
    return {"kind": kind, "at": at(second), "conversation_id": "c", "turn_id": turn, "data": data}


def message(name: str, seq: int, author: str, turn: str, text: str, external_id: str | None = None) -> Row:
    return {
        "id": name,
        "conversation_id": "c",
        "seq": seq,
        "author": author,
        "visibility": "public",
        "text": text,
        "turn_id": turn,
        "external_id": external_id,
    }


def turn(name: str, upto: int, outcome: str) -> Row:
    return {
        "id": name,
        "conversation_id": "c",
        "status": "done",
        "outcome": outcome,
        "upto_seq": upto,
        "checkpointed": False,
    }


def delivery(name: str, of: str, second: int) -> Row:
    return {"id": name, "message_id": of, "conversation_id": "c", "status": "sent", "finished_at": at(second)}


CLEAN = Trail(
    conversations=[{"id": "c", "status": "open", "answered_seq": 3}],
    messages=[
        message("m1", 1, "customer", "t1", "How do I log in?", "x1"),
        message("m2", 2, "bot", "t1", "At the top right."),
        message("m3", 3, "customer", "t2", "And out?", "x2"),
        message("m4", 4, "bot", "t2", "The same place."),
    ],
    turns=[turn("t1", 1, "sent"), turn("t2", 3, "reviewed")],
    reviews=[{"id": "r", "turn_id": "t2", "version": 1, "status": "decided"}],
    decisions=[{"review_id": "r", "based_on": 1, "kind": "approve"}],
    deliveries=[delivery("d1", "m2", 3), delivery("d2", "m4", 6)],
    events=[
        event("message.accepted", 1, message_id="m1"),
        event("turn.sent", 2, "t1"),
        event("message.accepted", 4, message_id="m3"),
        event("review.opened", 4, "t2", review_id="r"),
        event("review.approve", 5, "t2", review_id="r"),
        event("turn.reviewed", 5, "t2"),
    ],
)


def lose_a_message(trail: Trail) -> None:
    del trail.messages[0], trail.events[0]


def keep_a_message_twice(trail: Trail) -> None:
    trail.messages.append({**trail.messages[2], "id": "m5", "seq": 5})


def change_its_words(trail: Trail) -> None:
    trail.messages[0]["text"] = "something else"


def strand_a_customer(trail: Trail) -> None:
    trail.messages[2]["turn_id"] = None
    trail.conversations[0]["answered_seq"] = 1


def never_end_a_turn(trail: Trail) -> None:
    trail.turns[0].update(status="queued", outcome=None)


def answer_twice(trail: Trail) -> None:
    trail.messages.append({**trail.messages[1], "id": "m5", "seq": 5})


def answer_nothing(trail: Trail) -> None:
    del trail.messages[1]


def swap_the_replies(trail: Trail) -> None:
    trail.turns[0]["upto_seq"], trail.turns[1]["upto_seq"] = 3, 1


def answer_before_the_question(trail: Trail) -> None:
    trail.messages[3]["seq"] = 3
    trail.messages[2]["seq"] = 4


def decide_twice(trail: Trail) -> None:
    trail.decisions.append(trail.decisions[0])


def decide_on_an_old_version(trail: Trail) -> None:
    trail.reviews[0]["version"] = 2


def never_deliver(trail: Trail) -> None:
    trail.deliveries[0].update(status="pending", finished_at=None)


def deliver_out_of_order(trail: Trail) -> None:
    trail.deliveries[0]["finished_at"] = at(9)


def keep_a_checkpoint(trail: Trail) -> None:
    trail.turns[1]["checkpointed"] = True


def leave_an_end_unexplained(trail: Trail) -> None:
    del trail.events[1]


def explain_a_decision_twice(trail: Trail) -> None:
    trail.events.append(trail.events[4])


def cancel_a_delivery_in_silence(trail: Trail) -> None:
    trail.deliveries[0]["status"] = "cancelled"


def speak_over_a_person(trail: Trail) -> None:
    trail.events.insert(1, event("conversation.taken-over", 1))


def test_a_clean_trail_has_no_faults() -> None:
    assert faults(CLEAN, ACKNOWLEDGED) == []


@pytest.mark.parametrize(
    "break_it",
    [
        lose_a_message,
        keep_a_message_twice,
        change_its_words,
        strand_a_customer,
        never_end_a_turn,
        answer_twice,
        answer_nothing,
        swap_the_replies,
        answer_before_the_question,
        decide_twice,
        decide_on_an_old_version,
        never_deliver,
        deliver_out_of_order,
        keep_a_checkpoint,
        leave_an_end_unexplained,
        explain_a_decision_twice,
        cancel_a_delivery_in_silence,
        speak_over_a_person,
    ],
)
def test_the_judge_sees(break_it: Callable[[Trail], None]) -> None:
    trail = deepcopy(CLEAN)
    break_it(trail)
    assert faults(trail, ACKNOWLEDGED)
