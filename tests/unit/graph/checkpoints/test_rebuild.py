"""A checkpoint is used only if every record in it is still known."""

from typing import Any

import pytest
from langgraph.checkpoint.base import CheckpointTuple, empty_checkpoint
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

from graph.checkpoints.checkpointer import GRAPH_VERSION, config_of
from graph.checkpoints.rebuild import RECORDS, graph_version, is_usable
from graph.machine import Machine, build_machine
from graph.state import State, TurnInput
from storage.records import Draft, GuardAction, GuardResult, Route, Triage, Verdict

STATE = {
    "turn": TurnInput(workspace_id="w", conversation_id="c", turn_id="t", channel="web", question="How?"),
    "guard": GuardResult(action=GuardAction.PASS, text="How?"),
    "triage": Triage(),
    "draft": Draft(),
    "verdict": Verdict(route=Route.REVIEW),
}


def checkpoint(**values: Any) -> CheckpointTuple:
    metadata: Any = {GRAPH_VERSION: "v1"}
    return CheckpointTuple(config_of("t"), {**empty_checkpoint(), "channel_values": values}, metadata)


def test_a_whole_state_can_be_used() -> None:
    assert is_usable(checkpoint(**STATE, version=1), "v1")


def test_no_checkpoint_is_lost() -> None:
    assert not is_usable(None, "v1")


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_that_came_back_as_a_mapping_or_not_at_all_makes_it_useless(name: str) -> None:
    assert not is_usable(checkpoint(**{**STATE, name: {"text": "How?"}}), "v1")
    assert not is_usable(checkpoint(**{key: value for key, value in STATE.items() if key != name}), "v1")


class RenamedChannel(TypedDict, total=False):
    answer: str


class Draft2(Draft):
    """The same under another name."""


class WiderDraft(Draft):
    tone: str = ""


def small_machine(node: str, state: Any = State) -> Machine:
    async def act(_: Any) -> dict[str, str]:
        return {}

    graph: Any = StateGraph(state)
    machine: Machine = graph.add_node(node, act).add_edge(START, node).compile()
    return machine


def version_of(machine: Machine) -> str:
    return graph_version(machine.nodes, machine.channels)


def test_a_checkpoint_of_another_version_of_the_graph_is_not_used() -> None:
    assert not is_usable(checkpoint(**STATE, version=1), "v2")


def test_the_version_is_the_same_for_the_same_graph() -> None:
    assert version_of(build_machine()) == version_of(build_machine())


def test_a_renamed_node_or_channel_makes_another_version() -> None:
    machines = (small_machine("review"), small_machine("approval"), small_machine("review", RenamedChannel))
    assert len({version_of(machine) for machine in machines}) == 3


def test_a_renamed_class_and_a_new_field_make_another_version() -> None:
    machine = build_machine()
    drafts = (Draft, Draft2, WiderDraft)
    assert len({graph_version(machine.nodes, machine.channels, {**RECORDS, "draft": draft}) for draft in drafts}) == 3
