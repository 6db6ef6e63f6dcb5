"""Mutants that change nothing that anybody can see, each with its reason."""

from typing import NamedTuple


class Change(NamedTuple):
    """A changed line of a module."""

    module: str
    old: str
    new: str


EQUIVALENTS: dict[Change, str] = {}
