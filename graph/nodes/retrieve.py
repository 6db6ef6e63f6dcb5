"""Find what the knowledge says about the question."""

from langgraph.runtime import Runtime

from graph.state import Deps, State

LIMIT = 5


async def retrieve(state: State, runtime: Runtime[Deps]) -> State:
    """Search by the standalone question; chunks that a person rejected are left out. Raises UnavailableError."""
    raise NotImplementedError
