"""LangGraph's own studio opens the graph by langgraph.json and runs it with JSON alone."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from commands.process.composition import Process, open_process
from graph.machine import Machine
from storage.records import new_id
from tests.support.faq import FAQ
from tests.support.settings import settings_for

ROOT = Path(__file__).parents[3]


def factory_of(name: str) -> Machine:
    """The graph as `langgraph dev` makes it: by the file and function that langgraph.json names."""
    path, _, function = json.loads((ROOT / "langgraph.json").read_text())["graphs"][name].partition(":")
    spec = importlib.util.spec_from_file_location("studio", ROOT / path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    machine: Machine = getattr(module, function)()
    return machine


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    async with open_process(settings_for(tmp_path)) as process:
        await fill(process)
    return tmp_path / "data"


async def fill(process: Process) -> None:
    await process.store.accounts.workspaces.create("demo", "Demo")
    document = await process.store.knowledge.catalogue.create("demo", "faq.csv", FAQ)
    await process.store.knowledge.catalogue.load_document(document.id)


def turn(question: str) -> dict[str, object]:
    ids = {"workspace_id": "demo", "conversation_id": new_id(), "turn_id": new_id()}
    return {"turn": {**ids, "channel": "web", "question": question}}


async def run(machine: Machine, start: Any, thread: str) -> dict[str, Any]:
    """As a host does that speaks JSON."""
    return dict(await machine.ainvoke(start, {"configurable": {"thread_id": thread}}))


async def test_the_studios_graph_answers_and_stops_for_a_person(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESKHAND_DATA_DIR", str(folder))
    machine = factory_of("desk")
    assert machine.get_input_jsonschema()
    machine.checkpointer = InMemorySaver()
    answered = await run(machine, turn("How do I reset my password?"), thread="1")
    assert answered["ending"] == "send"
    held = await run(machine, turn("I want my money back, refund me"), thread="2")
    (request,) = held["__interrupt__"]
    assert request.value["action_requests"][0]["name"] == "send_reply"
    assert request.value["review_configs"][0]["allowed_decisions"] == ["approve", "edit", "reject", "respond"]
    edited = {"type": "edit", "edited_action": {"name": "send_reply", "args": {"text": "Done."}}}
    resumed = await run(machine, Command(resume={"decisions": [edited]}), thread="2")
    assert resumed["ending"] == "send"
    assert resumed["draft"].text == "Done."
