"""JSON answers with the bare content type that Discord gives (no charset), which its library compares as a whole."""

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web


def as_json(data: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """An answer of the REST interface."""
    return web.Response(
        body=json.dumps(data).encode(), status=status, headers={**(headers or {}), "Content-Type": "application/json"}
    )
