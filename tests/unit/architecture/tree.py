"""The product's modules as files."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
PACKAGES = ("bot", "commands", "graph", "storage", "workbench")
MIGRATIONS = "storage/database/migrations"
"""Alembic's own: each revision is a file, and none is imported by name."""


def modules() -> list[Path]:
    """Every module, by its path from the root; without the packages' own lines and the migrations."""
    found = (path.relative_to(ROOT) for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return sorted(path for path in found if path.name != "__init__.py" and not str(path).startswith(MIGRATIONS))


def folders() -> list[str]:
    """Every folder that is a package, but the migrations."""
    found = (path.parent.relative_to(ROOT) for package in PACKAGES for path in (ROOT / package).rglob("__init__.py"))
    return sorted(str(path) for path in found if not str(path).startswith(MIGRATIONS))


def parsed(path: Path) -> ast.Module:
    """The syntax tree of a module."""
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def imported(path: Path) -> Iterator[str]:
    """The modules that a module names in its imports."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
