"""A name means one thing, and a module says what it is about."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.unit.architecture.tree import modules, parsed

SAID_TWICE = {
    "log": "every module's own logger",
    "router": "FastAPI's name for what a module of routes gives",
    "T": "a type variable",
    "check": "a node of the graph, by the name that the machine shows; the schema is checked in storage",
    "measure": "the command, and what it calls",
    "open_engine": "SQLite's and PostgreSQL's, chosen by the address",
    "reporting_errors": "Discord's and the workbench's edge: each tells its own user",
    "translate_errors": "Slack's and Discord's own errors become the channels'",
    "upgrade": "Alembic's schema and Procrastinate's",
}
"""Public names that more than one module defines, each with its reason."""


def test_a_public_name_is_defined_once() -> None:
    places = defaultdict(list)
    for path in modules():
        for name in defined(path):
            places[name].append(str(path))
    twice = {name: where for name, where in places.items() if len(where) > 1 and name not in SAID_TWICE}
    assert twice == {}


def test_every_module_says_what_it_is_about() -> None:
    assert [str(path) for path in modules() if not ast.get_docstring(parsed(path))] == []


def defined(path: Path) -> Iterator[str]:
    """The public functions, classes and aliases of a module; a constant is its module's own business."""
    for node in parsed(path).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names = [node.name]
        elif isinstance(node, ast.Assign):
            names = [target.id for target in node.targets if isinstance(target, ast.Name) and not target.id.isupper()]
        else:
            names = []
        yield from (name for name in names if not name.startswith("_"))
