"""Metrics of the graph's nodes: a latency histogram of this process, and spans of the turn's trace."""

from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec

from prometheus_client import CollectorRegistry, Histogram

from graph.state import State
from storage.telemetry.tracing import span

P = ParamSpec("P")
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class NodeMetrics:
    """Times for one process; `registry` is the one that `/metrics` shows (default: a private one)."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self._seconds = Histogram(
            "deskhand_node_seconds",
            "Time per run of a node of the graph.",
            ["node"],
            registry=registry or CollectorRegistry(),
            buckets=BUCKETS,
        )

    def timed(self, node: Callable[P, Awaitable[State]]) -> Callable[P, Coroutine[Any, Any, State]]:
        """The same node, which LangGraph sees as it is, with every run of it timed."""
        name = node.__name__
        seconds = self._seconds.labels(name)

        @wraps(node)
        async def timed(*args: P.args, **named: P.kwargs) -> State:
            with seconds.time(), span(name, node=name):
                return await node(*args, **named)

        return timed
