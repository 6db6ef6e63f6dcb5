"""Source URLs: the public addresses where a customer can read a piece of knowledge."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

MAX_LENGTH = 2000
"""What Slack and Discord take of an address; a longer one is left out, since half an address leads nowhere."""
NAMES = ("url", "link", "source")
"""Columns of a table and keys of front matter that may hold one, the surest first."""
FIRST_LINE = re.compile(r"\A\s*(?:(?:source|url|link)\s*:\s*)?<?(https?://\S+?)>?[ \t]*(?:\n|\Z)", re.IGNORECASE)


def address_of(value: Any) -> str:
    """The value if it is an http(s) address without a login in it, else nothing: `source` may be any word."""
    text = value.strip() if isinstance(value, str) else ""
    if not text.lower().startswith(("http://", "https://")) or len(text) > MAX_LENGTH:
        return ""
    if any(character.isspace() or not character.isprintable() or character in '<>"|\\' for character in text):
        return ""
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - raises ValueError for one that is no number
    except ValueError:
        return ""
    return text if parts.hostname and not parts.username and not parts.password else ""


def address_in(values: Mapping[str, Any]) -> str:
    """The first address among the named values; nothing if there is none."""
    return next((found for name in NAMES if (found := address_of(values.get(name)))), "")


def address_line(text: str) -> tuple[str, str]:
    """The address that the first line consists of, or nothing, and the text after it."""
    found = FIRST_LINE.match(text)
    address = address_of(found[1]) if found else ""
    return (address, text[found.end() :]) if found and address else ("", text)
