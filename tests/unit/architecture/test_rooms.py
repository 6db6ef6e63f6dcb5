"""Every room is small, named in the documents, and reached one way."""

import re
from collections import Counter
from pathlib import Path

import grimp
import pytest

from docs.tools.house_map import document
from tests.unit.architecture.tree import PACKAGES, ROOT, folders, modules

MOST_FILES = 16
CIRCLES = {
    "bot/discord": "the client knows the buttons that it serves, and what they do knows the client; no modules do",
}
"""Rooms whose folders import each other, each with its reason."""
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PATH = re.compile(r"`((?:bot|commands|deploy|demo|docs|graph|storage|tests|workbench|bench)/[\w./*-]*)`")


def test_no_room_is_crowded() -> None:
    files = Counter(str(path.parent) for path in modules())
    assert [room for room, count in files.items() if count > MOST_FILES] == []


def test_the_map_shows_every_room_in_its_own_words_and_no_other() -> None:
    assert document() == ARCHITECTURE, "run `python -m docs.tools.house_map`"


@pytest.mark.parametrize(
    ("document", "text"), [("CONTRIBUTING.md", CONTRIBUTING), ("docs/architecture.md", ARCHITECTURE)]
)
def test_a_document_names_only_what_there_is(document: str, text: str) -> None:
    paths = PATH.findall(text)
    assert len(paths) > 20, document
    assert [path for path in paths if not _exists(path)] == []


def test_ten_questions_of_a_stranger_have_one_answer_each() -> None:
    questions = re.findall(r"^\| [^|]+\? \| (`[^`|]+`)[^|]*\|$", CONTRIBUTING, re.MULTILINE)
    assert len(questions) >= 10


def test_packages_beside_each_other_import_in_no_circle() -> None:
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    rooms = [room.replace("/", ".") for room in folders() if room not in CIRCLES]
    assert {room: found for room in rooms if (found := graph.nominate_cycle_breakers(room))} == {}


def _exists(path: str) -> bool:
    return bool(list(ROOT.glob(path))) if "*" in path else Path(ROOT, path).exists()
