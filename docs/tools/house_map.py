"""Writes the rooms in docs/architecture.md from the packages' docstrings: `python -m docs.tools.house_map`."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOC = ROOT / "docs" / "architecture.md"
PACKAGES = ("bot", "commands", "graph", "storage", "workbench")
MIGRATIONS = "storage/database/migrations"
HEAD = "| room | what stands there |\n| --- | --- |\n"


def document() -> str:
    """The page with the rooms that there are now."""
    before, _, _ = DOC.read_text(encoding="utf-8").partition(HEAD)
    return f"{before}{HEAD}{''.join(rows())}| `demo/` | The demo workspace's knowledge |\n"


def rows() -> Iterator[str]:
    """One row per package, in the words of its docstring."""
    for package in PACKAGES:
        for init in sorted((ROOT / package).rglob("__init__.py")):
            room = str(init.parent.relative_to(ROOT))
            if not room.startswith(MIGRATIONS):
                yield f"| `{room}/` | {matter(init)} |\n"


def matter(init: Path) -> str:
    """The first line of a package's docstring."""
    words = ast.get_docstring(ast.parse(init.read_text(encoding="utf-8"))) or ""
    return words.partition("\n")[0].rstrip(".")


if __name__ == "__main__":
    DOC.write_text(document(), encoding="utf-8")
