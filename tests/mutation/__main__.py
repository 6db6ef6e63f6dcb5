"""Mutation testing: change one thing in a module that decides, and see whether a test notices.

`python -m tests.mutation --sample 120 --seed 1` draws from all mutants that mutmut makes of the modules named in
pyproject.toml, prints what no test noticed, and fails where that is more than one in twenty. The same seed draws the
same mutants from the same sources.
"""

import argparse
import json
import random
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.mutation.equivalents import EQUIVALENTS, Change

ROOT = Path(__file__).parents[2]
MUTMUT = (sys.executable, "-m", "mutmut")
RESULTS = ROOT / "mutants"
SURVIVED: dict[int | None, str] = {0: "survived", 33: "no test reaches it"}
"""mutmut's exit codes of what is still alive; every other code is a death: a failed test, a crash, an endless loop."""
LEAST_KILLED = 0.95


@dataclass(frozen=True, slots=True)
class Survivor:
    """A mutant that no test noticed."""

    name: str
    why: str
    change: Change


def main() -> int:
    """Draw, run, print; gives the exit code."""
    options = _options()
    names = sorted(_made())
    drawn = random.Random(options.seed).sample(names, min(options.sample, len(names)))  # noqa: S311 - a draw, no secret
    _mutmut("run", "--max-children", str(options.processes), *drawn)
    results = _results()
    alive = [Survivor(name, SURVIVED[results[name]], _change(name)) for name in drawn if results[name] in SURVIVED]
    meant = [survivor for survivor in alive if survivor.change not in EQUIVALENTS]
    for survivor in meant:
        print(f"{survivor.name} ({survivor.why})\n  - {survivor.change.old}\n  + {survivor.change.new}")
    asked = len(drawn) - len(alive) + len(meant)
    killed = (asked - len(meant)) / asked if asked else 1.0
    print(f"{asked - len(meant)} of {asked} mutants killed ({killed:.1%}), {len(alive) - len(meant)} equivalent,")
    print(f"drawn from {len(names)} by seed {options.seed}: {dict(Counter(_module(name) for name in drawn))}")
    return 0 if killed >= LEAST_KILLED else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make mutants")
    parser.add_argument("--sample", type=int, default=120, help="how many mutants to run")
    parser.add_argument("--seed", type=int, default=1, help="which ones")
    parser.add_argument("--processes", type=int, default=2)
    return parser.parse_args()


def _made() -> dict[str, int | None]:
    """Let mutmut make its mutants and learn which test reaches which function; it needs at least one to run."""
    _mutmut("run", "graph.policy.*__mutmut_1")
    return _results()


def _results() -> dict[str, int | None]:
    """Every mutant and the exit code of its tests; None: not run."""
    found: dict[str, int | None] = {}
    for path in sorted(RESULTS.rglob("*.meta")):
        found |= json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"]
    return found


def _change(name: str) -> Change:
    """The line that the mutant changes, before and after."""
    lines = _mutmut("show", name).splitlines()
    removed = [line[1:].strip() for line in lines if line.startswith("-") and not line.startswith("---")]
    added = [line[1:].strip() for line in lines if line.startswith("+") and not line.startswith("+++")]
    return Change(_module(name), " ".join(removed), " ".join(added))


def _module(name: str) -> str:
    return name.rpartition(".")[0]


def _mutmut(*words: str) -> str:
    ran = subprocess.run([*MUTMUT, *words], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    if ran.returncode:
        sys.exit(f"{ran.stdout[-4000:]}\n{ran.stderr[-4000:]}")
    return ran.stdout


if __name__ == "__main__":
    sys.exit(main())
