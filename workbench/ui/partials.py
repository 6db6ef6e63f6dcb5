"""Parts of a page that refreshes itself: HTML that is sent only when the browser does not have it yet."""

import hashlib
from collections.abc import Mapping
from typing import Any


def changed_parts(parts: Mapping[str, str], seen: Mapping[str, str]) -> dict[str, Any]:
    """The parts whose key is not the one that the browser has seen, and every key."""
    keys = {name: hashlib.blake2b(html.encode(), digest_size=8).hexdigest() for name, html in parts.items()}
    changed = {name: html for name, html in parts.items() if seen.get(name) != keys[name]}
    return {"parts": changed, "keys": keys}
