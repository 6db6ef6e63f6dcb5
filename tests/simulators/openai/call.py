"""One request to the simulated endpoint, as behaviours and tests read it.

Shapes: https://platform.openai.com/docs/api-reference/chat/create
"""

import json
import re
from asyncio import Transport
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

FENCED = re.compile(r"<data (\w+)>\n(.*?)\n</data \1>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Call:
    """One recorded request."""

    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]
    transport: Transport | None = field(repr=False, default=None)
    """The connection, for behaviours that break it."""

    @property
    def text(self) -> str:
        """Everything that was sent, as one string to search."""
        return json.dumps(self.body, ensure_ascii=False)

    @property
    def prompt(self) -> str:
        """All messages' texts."""
        return "\n".join(str(message.get("content") or "") for message in self.body.get("messages", ()))

    @property
    def method(self) -> str:
        """How structure is asked for: `json_schema`, `function_calling`, `json_mode`, or `text` for not at all."""
        if self.body.get("tools"):
            return "function_calling"
        match self.body.get("response_format", {}).get("type"):
            case "json_schema":
                return "json_schema"
            case "json_object":
                return "json_mode"
            case _:
                return "text"

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema asked for; in JSON mode the one written in the system prompt."""
        match self.method:
            case "json_schema":
                return dict(self.body["response_format"]["json_schema"]["schema"])
            case "function_calling":
                return dict(self.body["tools"][0]["function"]["parameters"])
            case _:
                return self._written_schema()

    def _written_schema(self) -> dict[str, Any]:
        system = str(self.body["messages"][0]["content"])
        start = system.rfind('\n{"')
        return dict(json.loads(system[start:])) if start >= 0 else {}

    def fenced_after(self, heading: str) -> str:
        """The fenced text below a heading of the prompt, without its marks; empty when there is none."""
        _, found, below = self.prompt.partition(f"{heading}\n")
        match = FENCED.match(below) if found else None
        return match.group(2) if match else ""

    def line_after(self, heading: str) -> str:
        """The rest of the line that starts with `heading`."""
        match = re.search(rf"^{re.escape(heading)}(.*)$", self.prompt, re.MULTILINE)
        return match.group(1).strip() if match else ""
