"""A checkpoint is used only if every record in it is still known."""

from typing import Any

import pytest
from langgraph.checkpoint.base import CheckpointTuple, empty_checkpoint

from graph.checkpoints.checkpointer import config_of
from graph.checkpoints.rebuild import RECORDS, is_usable
from graph.state import TurnInput
from storage.records import Draft, GuardAction, GuardResult, Route, Triage, Verdict

STATE = {
    "turn": TurnInput(workspace_id="w", conversation_id="c", turn_id="t", channel="web", question="How?"),
    "guard": GuardResult(action=GuardAction.PASS, text="How?"),
    "triage": Triage(),
    "draft": Draft(),
    "verdict": Verdict(route=Route.REVIEW),
}


def checkpoint(**values: Any) -> CheckpointTuple:
    return CheckpointTuple(config_of("t"), {**empty_checkpoint(), "channel_values": values}, {})


def test_a_whole_state_can_be_used() -> None:
    assert is_usable(checkpoint(**STATE, version=1))


def test_no_checkpoint_is_lost() -> None:
    assert not is_usable(None)


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_that_came_back_as_a_mapping_or_not_at_all_makes_it_useless(name: str) -> None:
    assert not is_usable(checkpoint(**{**STATE, name: {"text": "How?"}}))
    assert not is_usable(checkpoint(**{key: value for key, value in STATE.items() if key != name}))
