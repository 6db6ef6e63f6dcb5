"""The table of a turn's end: what each end of a run does to each state of the rows."""

from itertools import product
from typing import get_args

import pytest

from storage.records import ConversationStatus, DecisionKind, TurnStatus
from storage.turns.transition import (
    MAX_RESTARTS,
    ConversationState,
    Ending,
    RunEnd,
    Transition,
    TurnState,
    transition,
)

ENDINGS: tuple[Ending, ...] = get_args(Ending)
READ, NEWER = 5, 6
QUEUED = TurnState(TurnStatus.QUEUED, restarts=0)
WORN_OUT = TurnState(TurnStatus.QUEUED, restarts=MAX_RESTARTS)
DECIDED = TurnState(TurnStatus.DECIDED, restarts=0, newest_version=2)
OPEN = ConversationState(ConversationStatus.OPEN, READ)
OPEN_WITH_MORE = ConversationState(ConversationStatus.OPEN, NEWER)
PENDING = ConversationState(ConversationStatus.PENDING, READ)
ASSIGNED = ConversationState(ConversationStatus.ASSIGNED, READ)
ASSIGNED_WITH_MORE = ConversationState(ConversationStatus.ASSIGNED, NEWER)


def first(ending: Ending) -> RunEnd:
    """A run from the beginning."""
    return RunEnd(ending, READ)


def after(decision: DecisionKind, ending: Ending, version: int = 2) -> RunEnd:
    """A run that went on from a decision on version 2."""
    return RunEnd(ending, READ, version, decision)


@pytest.mark.parametrize(
    ("turn", "conversation", "run", "expected"),
    [
        # A first run, and nothing has moved.
        (QUEUED, OPEN, first("send"), Transition.COMMIT),
        (QUEUED, OPEN, first("hold"), Transition.COMMIT),
        (QUEUED, OPEN, first("hand_off"), Transition.COMMIT),
        (QUEUED, OPEN, first("dismiss"), Transition.COMMIT),
        # The customer has written more: again, but not for ever.
        (QUEUED, OPEN_WITH_MORE, first("send"), Transition.RESTART),
        (QUEUED, OPEN_WITH_MORE, first("hold"), Transition.RESTART),
        (QUEUED, OPEN_WITH_MORE, first("hand_off"), Transition.RESTART),
        (QUEUED, OPEN_WITH_MORE, first("dismiss"), Transition.RESTART),
        (WORN_OUT, OPEN_WITH_MORE, first("send"), Transition.COMMIT_AND_CONTINUE),
        (WORN_OUT, OPEN_WITH_MORE, first("dismiss"), Transition.COMMIT_AND_CONTINUE),
        # Who gets the conversation answers the rest; a draft that is overtaken already cannot be decided.
        (WORN_OUT, OPEN_WITH_MORE, first("hand_off"), Transition.COMMIT),
        (WORN_OUT, OPEN_WITH_MORE, first("hold"), Transition.RESTART),
        # A decision takes effect on the very draft that it was about.
        (DECIDED, PENDING, after(DecisionKind.APPROVE, "send"), Transition.COMMIT),
        (DECIDED, PENDING, after(DecisionKind.EDIT, "send"), Transition.COMMIT),
        (DECIDED, PENDING, after(DecisionKind.DISMISS, "dismiss"), Transition.COMMIT),
        (DECIDED, PENDING, after(DecisionKind.REJECT, "hold", version=3), Transition.COMMIT),
        (DECIDED, PENDING, after(DecisionKind.REJECT, "hold", version=2), Transition.YIELD),
        (DECIDED, PENDING, after(DecisionKind.APPROVE, "send", version=1), Transition.YIELD),
        (DECIDED, PENDING, after(DecisionKind.APPROVE, "send", version=3), Transition.YIELD),
        # What was decided goes out although there is more; only a redraft is overtaken.
        (DECIDED, OPEN_WITH_MORE, after(DecisionKind.APPROVE, "send"), Transition.COMMIT),
        (DECIDED, OPEN_WITH_MORE, after(DecisionKind.DISMISS, "dismiss"), Transition.COMMIT),
        (DECIDED, OPEN_WITH_MORE, after(DecisionKind.REJECT, "hold", version=3), Transition.SUPERSEDE),
        # A person has the conversation: the bot says nothing, except to end an escalation.
        (DECIDED, ASSIGNED, after(DecisionKind.APPROVE, "send"), Transition.SILENCE),
        (DECIDED, ASSIGNED, after(DecisionKind.REJECT, "hold", version=3), Transition.SILENCE),
        (DECIDED, ASSIGNED, after(DecisionKind.ESCALATE, "hand_off"), Transition.COMMIT),
        (DECIDED, ASSIGNED_WITH_MORE, after(DecisionKind.ESCALATE, "hand_off"), Transition.COMMIT),
        # Where the run began is not where the turn is.
        (QUEUED, OPEN, after(DecisionKind.APPROVE, "send"), Transition.YIELD),
        (DECIDED, OPEN, first("send"), Transition.YIELD),
    ],
)
def test_each_end_of_a_run_meets_each_state_of_the_rows(
    turn: TurnState, conversation: ConversationState, run: RunEnd, expected: Transition
) -> None:
    assert transition(turn, conversation, run) is expected


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_turn_that_waits_for_a_person_is_left_to_the_worker_that_held_it(ending: Ending) -> None:
    waiting = TurnState(TurnStatus.WAITING, restarts=0, newest_version=1)
    assert transition(waiting, PENDING, first(ending)) is Transition.YIELD


@pytest.mark.parametrize(("status", "ending"), [*product((TurnStatus.DONE, TurnStatus.SUPERSEDED), ENDINGS)])
def test_a_turn_ends_once(status: TurnStatus, ending: Ending) -> None:
    ended = TurnState(status, restarts=0, newest_version=1)
    for conversation in (OPEN, OPEN_WITH_MORE, ASSIGNED):
        assert transition(ended, conversation, first(ending)) is Transition.IGNORE


@pytest.mark.parametrize(("conversation", "ending"), [*product((ASSIGNED, ASSIGNED_WITH_MORE), ENDINGS)])
def test_the_bot_is_silent_while_a_person_has_the_conversation(conversation: ConversationState, ending: Ending) -> None:
    for turn in (QUEUED, WORN_OUT):
        assert transition(turn, conversation, first(ending)) is Transition.SILENCE


@pytest.mark.parametrize("status", [ConversationStatus.RESOLVED, ConversationStatus.CLOSED])
def test_what_is_settled_gets_no_new_review_but_a_decision_takes_effect(status: ConversationStatus) -> None:
    settled = ConversationState(status, READ)
    assert transition(QUEUED, settled, first("hold")) is Transition.SUPERSEDE
    assert transition(DECIDED, settled, after(DecisionKind.REJECT, "hold", version=3)) is Transition.SUPERSEDE
    assert transition(DECIDED, settled, after(DecisionKind.APPROVE, "send")) is Transition.COMMIT
    assert transition(QUEUED, settled, first("send")) is Transition.COMMIT


def test_the_last_restart_is_the_third() -> None:
    for restarts in range(MAX_RESTARTS):
        turn = TurnState(TurnStatus.QUEUED, restarts)
        assert transition(turn, OPEN_WITH_MORE, first("send")) is Transition.RESTART
    assert transition(WORN_OUT, OPEN_WITH_MORE, first("send")) is Transition.COMMIT_AND_CONTINUE
