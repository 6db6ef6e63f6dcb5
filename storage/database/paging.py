"""Keyset pagination: a cursor names the last item seen, so that pages stay right while rows come in."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from storage.errors import InvalidError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items and where to go on."""

    items: tuple[T, ...]
    next: str | None = None


def page_of(found: Sequence[T], limit: int, place: Callable[[T], tuple[datetime, str]]) -> Page[T]:
    """The first `limit` of the found items (of which one more was asked for), with a cursor if there are more."""
    items = tuple(found[:limit])
    if len(found) <= limit:
        return Page(items)
    at, last_id = place(items[-1])
    return Page(items, base64.urlsafe_b64encode(f"{at.isoformat()} {last_id}".encode()).decode())


def decode_cursor(cursor: str) -> tuple[datetime, str]:
    """The time and id in a cursor; InvalidError if it is none of ours."""
    try:
        at, _, last_id = base64.urlsafe_b64decode(cursor.encode()).decode().partition(" ")
        return _checked(datetime.fromisoformat(at), last_id)
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise InvalidError("This cursor is not one that this list gave out.") from error


def _checked(at: datetime, last_id: str) -> tuple[datetime, str]:
    """A cursor made up by a client may hold what no column takes."""
    if at.tzinfo is None or "\0" in last_id:
        raise ValueError("no place in a list")
    return at, last_id
