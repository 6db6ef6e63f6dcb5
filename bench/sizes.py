"""How much is measured: enough for numbers, or just enough to see that the benchmarks run."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sizes:
    """The size of every measurement."""

    real_embedder: bool = True
    """False: word vectors, which cost nothing."""
    warm_up: int = 30
    messages: int = 200
    bursts: int = 5
    messages_per_burst: int = 6
    floors_per_burst: int = 20
    flood: int = 1_000
    turns: int = 400
    few_chunks: int = 1_000
    many_chunks: int = 100_000
    growth_messages: int = 40
    finished_turns: int = 10_000
    passages: int = 1_500
    loads: int = 3
    starts: int = 3
    idle_seconds: float = 5.0
    worker_rounds: int = 2
    worker_bursts: int = 3
    messages_per_worker_burst: int = 12
    """Long enough that the start of a burst, when every customer writes at once, is a small part of it."""


QUICK = Sizes(
    real_embedder=False,
    warm_up=2,
    messages=6,
    bursts=1,
    messages_per_burst=1,
    floors_per_burst=3,
    flood=20,
    turns=8,
    few_chunks=200,
    many_chunks=1_000,
    growth_messages=3,
    finished_turns=40,
    passages=40,
    loads=1,
    starts=1,
    idle_seconds=0.5,
    worker_rounds=1,
    worker_bursts=1,
    messages_per_worker_burst=1,
)
