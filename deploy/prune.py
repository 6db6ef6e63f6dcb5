"""Uninstall what the desk does not need at run time; the image's build runs it in the image's own environment.

The one lock file pins run-time and development packages together (docs/decisions.md); pip cannot install a part of it.
"""

import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution, distributions

from packaging.requirements import Requirement

KEPT = frozenset({"deskhand", "pip"})
DEVELOPMENT = "dev"
"""The one extra that no image needs."""


def needed(roots: frozenset[str] = KEPT) -> frozenset[str]:
    """The normalised names of the installed distributions that these and their extras need, themselves included."""
    found: set[str] = set()
    waiting = [(name, extras_of(name) - {DEVELOPMENT}) for name in roots]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        try:
            declared = distribution(name).requires or []
        except PackageNotFoundError:
            continue  # for another platform, or excluded on purpose (pyproject.toml, tool.uv)
        found.add(name)
        waiting += [
            (normal(requirement.name), frozenset(requirement.extras))
            for requirement in map(Requirement, declared)
            if applies(requirement, extras)
        ]
    return frozenset(found)


def extras_of(name: str) -> frozenset[str]:
    """The extras that an installed distribution offers."""
    try:
        return frozenset(distribution(name).metadata.get_all("Provides-Extra") or ())
    except PackageNotFoundError:
        return frozenset()


def applies(requirement: Requirement, extras: frozenset[str]) -> bool:
    """Whether the requirement holds here, with these extras asked for."""
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras))


def normal(name: str) -> str:
    """A distribution's name as packaging's specification writes it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> None:
    """Uninstall the rest."""
    installed = {normal(found.metadata["Name"]) for found in distributions()}
    superfluous = sorted(installed - needed())
    subprocess.run([sys.executable, "-m", "pip", "uninstall", "--yes", "--quiet", *superfluous], check=True)  # noqa: S603 - names of what is installed


if __name__ == "__main__":
    main()
