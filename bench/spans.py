"""Where the time of one turn goes: a turn walked step by step, each step through the door that the desk uses."""

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from langgraph.runtime import Runtime

from bench.laboratory import WORKSPACE, Laboratory
from bench.questions import questions
from bench.sizes import Sizes
from graph.checkpoints.checkpointer import config_of
from graph.machine import Machine, build_machine
from graph.nodes.check import check
from graph.nodes.draft import draft
from graph.nodes.guard import guard
from graph.nodes.retrieve import retrieve
from graph.nodes.triage import triage
from graph.state import Deps, State, TurnInput
from storage.knowledge.search import NEAREST_VECTORS
from storage.records import Incoming, new_id
from storage.turns.begin import TurnWork
from storage.turns.result import TurnResult

NODES = ("guard", "triage", "retrieve", "draft", "check")


class Spans:
    """Milliseconds by name of the step."""

    def __init__(self) -> None:
        self._taken: defaultdict[str, list[float]] = defaultdict(list)

    @contextmanager
    def span(self, name: str) -> Iterator[None]:
        """Time the block."""
        start = time.perf_counter()
        yield
        self._taken[name].append(1000 * (time.perf_counter() - start))

    def medians(self) -> dict[str, float]:
        """The median of every step."""
        return {name: median(taken) for name, taken in self._taken.items()}


async def profile(laboratory: Laboratory, sizes: Sizes) -> dict[str, float]:
    """Milliseconds per part of a turn, the whole first. The jobs stand still: the turns are walked here."""
    texts = questions(seed=7)
    spans = Spans()
    machine = build_machine(laboratory.process.runner.checkpoints)
    for number in range(sizes.warm_up + sizes.messages):
        taken = spans if number >= sizes.warm_up else Spans()
        await _whole(laboratory, next(texts), taken)
        await _steps(laboratory, machine, next(texts), taken)
    return _parts(spans.medians())


async def _whole(laboratory: Laboratory, text: str, spans: Spans) -> None:
    process = laboratory.process
    incoming = await _opened(laboratory, text)
    with spans.span("turn"):
        accepted = await process.intake.accept(incoming)
        await process.runner.answer(accepted.turn_id or "")


async def _steps(laboratory: Laboratory, machine: Machine, text: str, spans: Spans) -> None:
    process, deps = laboratory.process, laboratory.deps
    incoming = await _opened(laboratory, text)
    with spans.span("accept: message, conversation, turn, audit; commit"):
        accepted = await process.intake.accept(incoming)
    with spans.span("begin: the turn, its conversation, its texts"):
        work = await process.store.conversations.turns.begin(accepted.turn_id or "")
    if not isinstance(work, TurnWork):
        raise TypeError(work)
    with spans.span("embedding"):
        vector = deps.knowledge.embedder.embed([text])[0]
    with spans.span("Chroma"):
        laboratory.vectors.query(WORKSPACE, vector, NEAREST_VECTORS)
    state = await _walked(_start(work), deps, spans)
    with spans.span("graph"):
        await _ran(laboratory, machine, work)
    with spans.span("end: draft, reply, delivery, status, audit; commit"):
        await process.store.conversations.completion.send(_proposal(work, state))


async def _walked(state: State, deps: Deps, spans: Spans) -> State:
    """The nodes one after the other, without LangGraph."""
    runtime = Runtime(context=deps)
    for node in (guard, triage, retrieve, draft):
        with spans.span(node.__name__):
            state = state | await node(state, runtime)
    with spans.span("check"):
        return state | await check(state)


async def _ran(laboratory: Laboratory, machine: Machine, work: TurnWork) -> None:
    checkpoints = laboratory.process.runner.checkpoints
    with checkpoints.starting(work.turn_id):
        await machine.ainvoke(_start(work), config_of(work.turn_id), context=laboratory.deps, durability="exit")


def _parts(medians: dict[str, float]) -> dict[str, float]:
    """The steps without double counting, and what no step explains."""
    whole, chroma = medians.pop("turn"), medians["Chroma"]
    nodes = sum(medians[name] for name in NODES)
    medians["LangGraph itself"] = medians.pop("graph") - nodes
    medians["retrieve"] -= chroma
    renamed = {"retrieve": "retrieve: words, ranking, rows"}
    parts = {renamed.get(name, name): value for name, value in medians.items()}
    return {"turn": whole, **parts, "the rest": whole - sum(parts.values())}


def _start(work: TurnWork) -> State:
    turn = TurnInput(
        workspace_id=work.workspace_id,
        conversation_id=work.conversation_id,
        turn_id=work.turn_id,
        channel=work.channel,
        question=work.question,
        settings=work.settings,
    )
    return State(turn=turn, version=1)


def _proposal(work: TurnWork, state: State) -> TurnResult:
    return work.result(state["draft"], state["triage"])


async def _opened(laboratory: Laboratory, text: str) -> Incoming:
    thread = new_id()
    incoming = Incoming(WORKSPACE, "web", new_id(), thread, f"customer of {thread}", text)
    await laboratory.process.intake.open(incoming)
    return incoming
