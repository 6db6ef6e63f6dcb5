"""The nodes are timed, and LangGraph sees them as they are."""

import pytest
from prometheus_client import CollectorRegistry

from graph.node_metrics import NodeMetrics
from graph.state import State


async def handoff(state: State) -> State:
    """A person answers."""
    if "failure" in state:
        raise LookupError
    return {"ending": "handoff"}


async def test_every_run_of_a_node_is_timed_even_one_that_fails() -> None:
    registry = CollectorRegistry()
    node = NodeMetrics(registry).timed(handoff)
    assert await node(State()) == {"ending": "handoff"}
    with pytest.raises(LookupError):
        await node(State(failure="the model is down"))
    assert registry.get_sample_value("deskhand_node_seconds_count", {"node": "handoff"}) == 2
    assert (node.__name__, node.__annotations__) == (handoff.__name__, handoff.__annotations__)
