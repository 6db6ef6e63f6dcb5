"""Prompt templates: files beside this one, versioned by a digest of their texts."""

from functools import cache
from hashlib import sha256
from importlib.resources import files
from string import Template

from storage.records import Value

TEMPLATE_NAMES = ("triage", "draft", "summary")
DIVIDER = "\n=== user ===\n"
VERSION_DIGITS = 12


class Prompt(Value):
    """One question to the chat model, ready to send."""

    name: str
    system: str
    """What to do; the same for every customer, so that endpoints can cache it."""
    user: str
    """What to do it with; text from outside is fenced."""
    version: str


def render(name: str, **values: str) -> Prompt:
    """The prompt `name` with its `$fields` filled in; a value is never read as a template again.

    Raises KeyError for a field without a value.
    """
    system, _, user = template(name).partition(DIVIDER)
    filled = Template(user.strip()).substitute(values)
    return Prompt(name=name, system=system.strip(), user=filled, version=prompt_version())


@cache
def template(name: str) -> str:
    """The text of the file: instructions, divider, fields."""
    return (files(__package__) / f"{name}.md").read_text(encoding="utf-8")


@cache
def prompt_version() -> str:
    """Names the wording of all templates: twelve digits of the SHA-256 of their texts."""
    return sha256("\0".join(template(name) for name in TEMPLATE_NAMES).encode()).hexdigest()[:VERSION_DIGITS]
