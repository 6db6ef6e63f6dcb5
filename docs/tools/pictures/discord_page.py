"""Discord's window, drawn from messages, answers and forms as the simulated Discord received them.

Sources: https://docs.discord.com/developers/resources/message , …/components/reference .
"""

import re
from collections.abc import Callable, Iterable, Mapping
from html import escape

from markdown_it import MarkdownIt

from docs.tools.pictures.parts import (
    Payload,
    UnknownPartError,
    avatar,
    knows,
    page,
    tag,
)

ACTION_ROW, BUTTON, TEXT_INPUT, LABEL = 1, 2, 4, 18
BUTTON_STYLES = {1: "primary", 2: "secondary", 3: "success", 4: "danger"}
MENTION = re.compile(r"&lt;(?:@!?|#)(\d+)&gt;")


class DiscordPage:
    """Draws what is in one server; `names` is what user and channel ids are called."""

    def __init__(self, names: Mapping[str, str], bot: str) -> None:
        self._names = names
        self._bot = bot
        self._markdown = MarkdownIt("commonmark", {"html": False, "breaks": True, "linkify": False})
        self._markdown.enable("strikethrough").disable(["image", "hr", "html_block", "html_inline", "lheading"])
        self._components: dict[int, Callable[[Payload], str]] = {
            ACTION_ROW: self._row,
            BUTTON: self._button,
            TEXT_INPUT: self._input,
            LABEL: self._label,
        }

    def channel(self, title: str, messages: Iterable[str], tags: Iterable[str] = ()) -> str:
        """A channel, thread or post."""
        shown = "".join(tag("span", escape(name), "tag") for name in tags)
        return page("discord", tag("h1", escape(title) + shown) + "".join(messages))

    def beside(self, *columns: tuple[str, str]) -> str:
        """(title, messages) beside each other."""
        shown = (tag("div", tag("h1", escape(title)) + inner, "column") for title, inner in columns)
        return page("discord", tag("div", "".join(shown), "columns"))

    def message(self, message: Payload, *, only_you: bool = False, used: str = "") -> str:
        """A message; `used`: the command that it answers."""
        author = message["author"]["id"]
        note = tag("div", "Only you can see this", "only-you") if only_you else ""
        above = tag("div", escape(used), "used") if used else ""
        body = self.text(message["content"]) if message["content"] else ""
        body += "".join(map(self._embed, message["embeds"]))
        return above + self._said(author, body + "".join(map(self._component, message["components"])) + note)

    def form(self, form: Payload) -> str:
        """A modal."""
        knows(form, "title", "custom_id", "components")
        head = tag("div", escape(form["title"]), "modal-title")
        body = tag("div", "".join(map(self._component, form["components"])), "modal-body")
        foot = tag("div", tag("span", "Cancel", "button plain") + tag("span", "Submit", "button primary"), "modal-foot")
        return page("discord", tag("div", head + body + foot, "modal"))

    def text(self, markdown: str) -> str:
        """Discord's Markdown."""
        shown = str(self._markdown.render(markdown))
        return tag("div", MENTION.sub(lambda match: self._mention(match[1]), shown), "text")

    def _mention(self, id_: str) -> str:
        return tag("span", escape(self._names[id_]), "mention")

    def _said(self, author: str, body: str) -> str:
        name, is_app = self._names[author].lstrip("@"), author == self._bot
        who = tag("div", tag("b", escape(name)) + (tag("span", "APP", "badge") if is_app else ""), "who")
        return tag("div", avatar(name, is_app=is_app) + tag("div", who + body, "body"), "message")

    def _embed(self, embed: Payload) -> str:
        knows(embed, "title", "description", "url", "color", "fields", "footer", "flags")
        title = self._marked(embed.get("title", ""))
        shown = tag("div", tag("a", title) if embed.get("url") else title, "embed-title") if title else ""
        if "description" in embed:
            shown += self.text(embed["description"])
        shown += "".join(map(self._field, embed.get("fields", ())))
        if "footer" in embed:
            knows(embed["footer"], "text")
            shown += tag("div", escape(embed["footer"]["text"]), "footer")
        return tag("div", shown, "embed", style=f"border-left-color: #{embed.get('color') or 0x1E1F22:06x}")

    def _field(self, field: Payload) -> str:
        knows(field, "name", "value", "inline")
        name = tag("div", self._marked(field["name"]), "field-name")
        return tag("div", name + self.text(field["value"]), "embed-field")

    def _marked(self, text: str) -> str:
        return str(self._markdown.renderInline(text))

    def _component(self, component: Payload) -> str:
        draw = self._components.get(component["type"])
        if draw is None:
            raise UnknownPartError(f"component {component['type']}")
        return draw(component)

    def _row(self, row: Payload) -> str:
        knows(row, "components", "id")
        return tag("div", "".join(map(self._component, row["components"])), "row")

    def _button(self, button: Payload) -> str:
        knows(button, "label", "emoji", "style", "custom_id", "disabled", "id")
        emoji = str((button.get("emoji") or {}).get("name") or "")
        shown = " ".join(part for part in (emoji, escape(str(button.get("label") or ""))) if part)
        kind = BUTTON_STYLES[button["style"]]
        return tag("span", shown, f"button {kind} disabled" if button.get("disabled") else f"button {kind}")

    def _label(self, label: Payload) -> str:
        knows(label, "label", "component", "description", "id")
        below = tag("div", escape(label["description"]), "hint") if label.get("description") else ""
        return tag("label", escape(label["label"])) + below + self._component(label["component"])

    def _input(self, field: Payload) -> str:
        knows(
            field, "custom_id", "style", "value", "placeholder", "max_length", "min_length", "required", "label", "id"
        )
        value = escape(field.get("value") or "")
        inner = value or tag("span", escape(field.get("placeholder") or ""), "placeholder")
        return tag("div", inner, "field tall" if field["style"] == 2 else "field")
