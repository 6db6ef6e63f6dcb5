"""Block Kit as HTML (docs.slack.dev/reference/block-kit): every block and element that the desk sends, and no other."""

from collections.abc import Callable, Mapping
from html import escape

from docs.tools.pictures.mrkdwn_html import mrkdwn_html
from docs.tools.pictures.parts import (
    Payload,
    UnknownPartError,
    knows,
    tag,
)

BUTTON_SHOWS = 30
"""Slack "may truncate" a button's text at about so many characters."""


class BlockKit:
    """Draws blocks; `names` is what user and channel ids are called."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names
        self._blocks: dict[str, Callable[[Payload], str]] = {
            "section": self._section,
            "context": self._context,
            "actions": self._actions,
            "header": self._header,
            "divider": self._divider,
            "input": self._input,
        }
        self._elements: dict[str, Callable[[Payload], str]] = {
            "button": self._button,
            "plain_text_input": self._text_input,
            "mrkdwn": self._mrkdwn,
            "plain_text": self._plain,
        }

    def blocks(self, blocks: list[Payload]) -> str:
        """A message's or a view's blocks. Raises UnknownPartError."""
        return "".join(self._drawn(block, self._blocks) for block in blocks)

    def text(self, mrkdwn: str) -> str:
        """A text without blocks."""
        return mrkdwn_html(mrkdwn, self._names)

    def _drawn(self, part: Payload, known: Mapping[str, Callable[[Payload], str]]) -> str:
        draw = known.get(part["type"])
        if draw is None:
            raise UnknownPartError(part["type"])
        return draw(part)

    def _element(self, element: Payload) -> str:
        return self._drawn(element, self._elements)

    def _section(self, block: Payload) -> str:
        knows(block, "text", "accessory", "block_id")
        text = tag("div", self._element(block["text"]), "text")
        accessory = self._element(block["accessory"]) if "accessory" in block else ""
        return tag("div", text + accessory, "section")

    def _context(self, block: Payload) -> str:
        knows(block, "elements", "block_id")
        return tag("div", "".join(tag("div", self._element(item)) for item in block["elements"]), "context")

    def _actions(self, block: Payload) -> str:
        knows(block, "elements", "block_id")
        return tag("div", "".join(map(self._element, block["elements"])), "actions")

    def _header(self, block: Payload) -> str:
        knows(block, "text", "block_id")
        return tag("div", self._element(block["text"]), "header")

    def _divider(self, block: Payload) -> str:
        knows(block, "block_id")
        return "<hr>"

    def _input(self, block: Payload) -> str:
        knows(block, "block_id", "label", "element", "hint", "optional")
        hint = tag("div", self._element(block["hint"]), "hint") if "hint" in block else ""
        label = tag("label", self._element(block["label"]))
        return tag("div", label + self._element(block["element"]) + hint, "input")

    def _button(self, element: Payload) -> str:
        knows(element, "text", "action_id", "value", "style", "url", "accessibility_label")
        label = str(element["text"]["text"])
        shown = label if len(label) <= BUTTON_SHOWS else label[: BUTTON_SHOWS - 1] + "…"
        return tag("span", escape(shown), f"button {element.get('style', '')}".strip())

    def _text_input(self, element: Payload) -> str:
        knows(element, "action_id", "multiline", "max_length", "initial_value", "placeholder")
        value = element.get("initial_value", "")
        hint = (element.get("placeholder") or {}).get("text", "")
        inner = escape(value) or tag("span", escape(hint), "placeholder")
        return tag("div", inner, "field tall" if element.get("multiline") else "field")

    def _mrkdwn(self, element: Payload) -> str:
        knows(element, "text", "verbatim")
        return self.text(element["text"])

    def _plain(self, element: Payload) -> str:
        knows(element, "text", "emoji")
        return escape(element["text"]).replace("\n", "<br>")
