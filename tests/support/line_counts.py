"""How much test there is for a line of source: `python -m tests.support.line_counts`; the house wants 1.1."""

import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = ("bot", "commands", "graph", "storage", "workbench")
WANTED = 1.1


def lines(folders: Iterable[str]) -> int:
    """Lines with something on them; migrations are Alembic's."""
    paths = (path for folder in folders for path in (ROOT / folder).rglob("*.py") if "versions" not in path.parts)
    return sum(bool(line.strip()) for path in paths for line in path.read_text(encoding="utf-8").splitlines())


if __name__ == "__main__":
    tests, sources = lines(["tests"]), lines(SOURCES)
    sys.stdout.write(f"test lines : source lines = {tests / sources:.2f} ({tests} : {sources}), wanted {WANTED}\n")
