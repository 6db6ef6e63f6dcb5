"""Partial rendering with content keys: only the parts of a page that the browser does not have yet are sent."""

import hashlib
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class RefreshRequest(BaseModel):
    """What the browser shows already."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    seen: dict[str, str] = Field(default_factory=dict, max_length=16)
    """The key of each part as the browser has it: what did not change is not sent again."""


def changed_parts(parts: Mapping[str, str], seen: Mapping[str, str]) -> dict[str, Any]:
    """The parts whose key is not the one that the browser has seen, and every key."""
    keys = {name: hashlib.blake2b(html.encode(), digest_size=8).hexdigest() for name, html in parts.items()}
    changed = {name: html for name, html in parts.items() if seen.get(name) != keys[name]}
    return {"parts": changed, "keys": keys}
