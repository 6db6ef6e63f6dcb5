"""Draws docs/graph.md from the compiled graph: `python -m docs.tools.graph_picture`."""

from pathlib import Path

from graph.machine import build_machine

DOC = Path(__file__).parents[2] / "docs" / "graph.md"


def document() -> str:
    """The page with the picture of the graph as it is now."""
    picture = build_machine().get_graph().draw_mermaid().rstrip()
    return (
        "# The graph\n\n"
        "Drawn from the compiled graph itself (`graph/machine.py`); a test holds it true.\n\n"
        f"```mermaid\n{picture}\n```\n"
    )


if __name__ == "__main__":
    DOC.write_text(document(), encoding="utf-8")
