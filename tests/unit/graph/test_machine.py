"""The graph's picture in the docs is the compiled graph's own, and the studio's door opens the same graph."""

import json
from pathlib import Path

from docs.tools.graph_picture import DOC, document
from graph.machine import build_machine

ROOT = Path(__file__).parents[3]


def test_the_picture_in_the_docs_is_drawn_from_the_compiled_graph() -> None:
    written = DOC.read_text(encoding="utf-8")
    assert written == document(), "run `python -m docs.tools.graph_picture`"


def test_every_node_of_the_design_is_in_the_graph() -> None:
    nodes = set(build_machine().get_graph().nodes)
    assert {"guard", "triage", "retrieve", "draft", "check", "send", "review", "handoff"} <= nodes


def test_langgraph_json_names_a_factory_that_exists() -> None:
    configuration = json.loads((ROOT / "langgraph.json").read_text(encoding="utf-8"))
    path, _, name = configuration["graphs"]["desk"].partition(":")
    assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8")
