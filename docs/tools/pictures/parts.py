"""What both platforms' pages are built of, and the refusal of everything they do not know."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

Payload = dict[str, Any]
HERE = Path(__file__).parent


class UnknownPartError(Exception):
    """The desk sends something that the pictures cannot show: teach the renderer, then look at the picture."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: its file's name without the ending, and its page."""

    name: str
    page: str
    width: int = 760
    """CSS pixels."""


def knows(part: Mapping[str, Any], *keys: str) -> None:
    """Raise UnknownPartError if a part carries more than the renderer shows."""
    if unknown := set(part) - {"type", *keys}:
        raise UnknownPartError(f"{part.get('type')}: {', '.join(sorted(unknown))}")


def tag(name: str, inner: str = "", kind: str = "", **attributes: str) -> str:
    """An element; `inner` is HTML already."""
    given = {"class": kind, **attributes} if kind else attributes
    shown = "".join(f' {key}="{escape(value)}"' for key, value in given.items())
    return f"<{name}{shown}>{inner}</{name}>"


def avatar(name: str, *, is_app: bool = False) -> str:
    """A coloured square with initials."""
    initials = "".join(word[0] for word in name.split()[:2]).upper()
    return tag("div", escape(initials), "avatar app" if is_app else f"avatar tint{sum(map(ord, name)) % 4}")


def page(platform: str, inner: str) -> str:
    """A whole page in the platform's dress."""
    style = (HERE / f"{platform}.css").read_text(encoding="utf-8")
    head = f'<meta charset="utf-8"><style>{style}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body><main>{inner}</main></body></html>'
