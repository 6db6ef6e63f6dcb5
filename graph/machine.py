"""The LangGraph state machine on one page: guard → triage → retrieve → draft → check → send, review or handoff."""

from collections.abc import Awaitable
from dataclasses import replace
from typing import Literal, Protocol

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from graph.node_metrics import NodeMetrics
from graph.nodes.check import check
from graph.nodes.draft import draft
from graph.nodes.guard import guard
from graph.nodes.outcome import (
    dismiss,
    handoff,
    redraft,
    send,
)
from graph.nodes.retrieve import retrieve
from graph.nodes.review import review
from graph.nodes.triage import triage
from graph.state import Deps, State, TurnInput
from storage.records import (
    DecisionKind,
    GuardAction,
    Mode,
    Route,
)

Machine = CompiledStateGraph[State, Deps, State, State]


class Node(Protocol):
    """A node that needs the run's `Deps`."""

    __name__: str

    def __call__(self, state: State, runtime: Runtime[Deps]) -> Awaitable[State]:
        """The keys of the state that the node sets."""


def build_machine(
    checkpointer: BaseCheckpointSaver[str] | None = None,
    fixed_deps: Deps | None = None,
    metrics: NodeMetrics | None = None,
) -> Machine:
    """Compile the graph; without a checkpointer it can draw itself and answer, but not wait for a person.

    The desk passes its `Deps` with every run. `fixed_deps` fixes them for a host that cannot, such as the studio.
    """
    metrics = metrics or NodeMetrics()
    graph = StateGraph(State, context_schema=Deps if fixed_deps is None else None)
    nodes_with_deps: tuple[Node, ...] = (guard, triage, retrieve, draft)
    for node in nodes_with_deps:
        graph.add_node(node.__name__, metrics.timed(node) if fixed_deps is None else _NodeWithDeps(node, fixed_deps))
    graph.add_node(check.__name__, metrics.timed(check))
    # Not timed: it may do nothing but interrupt.
    graph.add_node(review)
    for plain in (redraft, send, handoff, dismiss):
        graph.add_node(plain.__name__, metrics.timed(plain))
    graph.add_edge(START, "guard")
    graph.add_conditional_edges("guard", after_guard)
    graph.add_edge("triage", "retrieve")
    graph.add_edge("retrieve", "draft")
    graph.add_edge("draft", "check")
    graph.add_conditional_edges("check", after_check)
    graph.add_conditional_edges("review", after_review)
    graph.add_edge("redraft", "retrieve")
    for last in ("send", "handoff", "dismiss"):
        graph.add_edge(last, END)
    return graph.compile(checkpointer=checkpointer, name="desk")


class _NodeWithDeps:
    """A node with its `Deps` fixed, for a host that speaks JSON: the turn may come as a mapping."""

    def __init__(self, node: Node, deps: Deps) -> None:
        self._node = node
        self._deps = deps

    async def __call__(self, state: State, runtime: Runtime[Deps]) -> State:
        turn = TurnInput.model_validate(state["turn"])
        update = await self._node({**state, "turn": turn}, replace(runtime, context=self._deps))
        return {**update, "turn": turn}


async def after_guard(state: State) -> Literal["triage", "check"]:
    """Nothing is looked up for a message that the guard stopped, or where the autopilot is off."""
    off = state["turn"].mode is Mode.OFF
    return "check" if off or state["guard"].action is not GuardAction.PASS else "triage"


async def after_check(state: State) -> Literal["send", "review", "handoff"]:
    """Policy has decided."""
    match state["verdict"].route:
        case Route.SEND:
            return "send"
        case Route.REVIEW:
            return "review"
        case Route.HANDOFF:
            return "handoff"


async def after_review(state: State) -> Literal["send", "redraft", "handoff", "dismiss"]:
    """A person has decided."""
    match state["decision"].kind:
        case DecisionKind.APPROVE | DecisionKind.EDIT:
            return "send"
        case DecisionKind.REJECT:
            return "redraft"
        case DecisionKind.ESCALATE:
            return "handoff"
        case DecisionKind.DISMISS:
            return "dismiss"
