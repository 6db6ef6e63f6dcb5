"""SECURITY.md names tests that there are, and every script of an attacker stands in it."""

import re

from tests.unit.architecture.tree import ROOT

SECURITY = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`(tests/[\w/]+\.py)`", SECURITY))


def test_every_named_test_is_there() -> None:
    assert NAMED
    assert [path for path in sorted(NAMED) if not (ROOT / path).is_file()] == []


def test_every_script_of_an_attacker_is_named() -> None:
    folder = ROOT / "tests" / "acceptance" / "security"
    scripts = {str(path.relative_to(ROOT)) for path in folder.glob("test_*.py")}
    assert scripts <= NAMED
