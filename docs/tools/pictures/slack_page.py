"""Slack's window, drawn from messages and views as the simulated Slack received them."""

from collections.abc import Iterable, Mapping
from html import escape

from docs.tools.pictures.block_kit import BlockKit
from docs.tools.pictures.parts import (
    Payload,
    avatar,
    page,
    tag,
)

EMOJI = {"eyes": "👀"}


class SlackPage:
    """Draws what is in one team."""

    def __init__(self, names: Mapping[str, str], bot: str) -> None:
        self._names = names
        self._bot = bot
        self._kit = BlockKit(names)

    def thread(self, title: str, messages: Iterable[str]) -> str:
        """A channel with a thread or messages in it."""
        return page("slack", tag("h1", escape(title)) + "".join(messages))

    def message(self, message: Payload, *, reactions: Iterable[str] = (), replies: int = 0) -> str:
        """A message as everybody in the channel sees it."""
        shown = [tag("span", f"{EMOJI[name]} 1", "reaction") for name in reactions]
        below = tag("div", "".join(shown), "reactions") if shown else ""
        if replies:
            below += tag("div", f"{replies} {'reply' if replies == 1 else 'replies'}", "replies")
        return self._said(message["user"], self._body(message) + below)

    def whisper(self, message: Payload) -> str:
        """An ephemeral message."""
        note = tag("div", "Only visible to you", "only-you")
        return tag("div", note + self._said(self._bot, self._body(message)), "whisper")

    def typed(self, user: str, command: str) -> str:
        """A slash command that somebody types; it is not shown to others."""
        return self._said(user, tag("div", tag("code", escape(command)), "line"))

    def status(self, status: str) -> str:
        """The working sign of the assistant pane."""
        return tag("div", escape(f"{self._names[self._bot]} {status}"), "status")

    def prompts(self, asked: Payload) -> str:
        """The suggested prompts of an assistant thread."""
        title = tag("div", escape(asked.get("title") or "Suggested"), "prompt-title")
        shown = (tag("div", escape(prompt["title"]), "prompt") for prompt in asked["prompts"])
        return tag("div", title + "".join(shown), "prompts")

    def modal(self, view: Payload) -> str:
        """A dialog."""
        head = tag("div", escape(view["title"]["text"]), "modal-title")
        close = tag("span", escape(view["close"]["text"]), "button")
        submit = tag("span", escape(view["submit"]["text"]), "button primary") if "submit" in view else ""
        body = tag("div", self._kit.blocks(view["blocks"]), "modal-body")
        return page("slack", tag("div", head + body + tag("div", close + submit, "modal-foot"), "modal"))

    def home(self, view: Payload) -> str:
        """The Home tab."""
        tabs = tag("div", tag("b", "Home") + tag("span", "Messages") + tag("span", "About"), "tabs")
        head = tag("h1", escape(self._names[self._bot])) + tabs
        return page("slack", head + tag("div", self._kit.blocks(view["blocks"]), "home"))

    def beside(self, *columns: tuple[str, str]) -> str:
        """(title, messages) beside each other."""
        shown = (tag("div", tag("h1", escape(title)) + inner, "column") for title, inner in columns)
        return page("slack", tag("div", "".join(shown), "columns"))

    def _body(self, message: Payload) -> str:
        if blocks := message.get("blocks"):
            return self._kit.blocks(blocks)
        return self._kit.text(message["text"])

    def _said(self, user: str, body: str) -> str:
        name, is_app = self._names[user], user == self._bot
        who = tag("div", tag("b", escape(name)) + (tag("span", "APP", "badge") if is_app else ""), "who")
        return tag("div", avatar(name, is_app=is_app) + tag("div", who + body, "body"), "message")
