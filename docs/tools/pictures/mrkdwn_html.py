"""Slack's mrkdwn as HTML (docs.slack.dev/messaging/formatting-message-text), as Slack's clients show it."""

import re
from collections.abc import Iterator, Mapping

from docs.tools.pictures.parts import tag

FENCE = re.compile(r"```\n?(.*?)\n?```", re.DOTALL)
SPECIAL = re.compile(r"`([^`\n]+)`|<([^>\n]*)>")
QUOTED = re.compile(r"^(?:>|&gt;) ?")
MARKS = (
    (re.compile(r"(?<![\w*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*])"), "b"),
    (re.compile(r"(?<![\w_])_(?=\S)([^_\n]+?)(?<=\S)_(?![\w_])"), "i"),
    (re.compile(r"(?<![\w~])~(?=\S)([^~\n]+?)(?<=\S)~(?![\w~])"), "s"),
)


def mrkdwn_html(text: str, names: Mapping[str, str]) -> str:
    """A text that Slack was sent: `& < >` are escaped in it already. `names`: what user and channel ids are called."""
    parts = FENCE.split(text)
    return "".join(tag("pre", part) if n % 2 else "".join(_lines(part, names)) for n, part in enumerate(parts))


def _lines(text: str, names: Mapping[str, str]) -> Iterator[str]:
    quoted: list[str] = []
    for line in text.strip("\n").split("\n"):
        if found := QUOTED.match(line):
            quoted.append(_line(line[found.end() :], names))
            continue
        if quoted:
            yield tag("blockquote", "".join(quoted))
            quoted = []
        yield _line(line, names)
    if quoted:
        yield tag("blockquote", "".join(quoted))


def _line(line: str, names: Mapping[str, str]) -> str:
    return tag("div", _marked(line, names) or "&nbsp;", "line")


def _marked(line: str, names: Mapping[str, str]) -> str:
    kept: list[str] = []

    def keep(match: re.Match[str]) -> str:
        kept.append(tag("code", match[1]) if match[1] is not None else _special(match[2], names))
        return f"\x00{len(kept) - 1}\x00"

    shown = SPECIAL.sub(keep, line)
    for pattern, name in MARKS:
        shown = pattern.sub(rf"<{name}>\1</{name}>", shown)
    return re.sub(r"\x00(\d+)\x00", lambda match: kept[int(match[1])], shown)


def _special(inner: str, names: Mapping[str, str]) -> str:
    target, _, label = inner.partition("|")
    if target.startswith("@"):
        return tag("span", f"@{names.get(target[1:], target[1:])}", "mention")
    if target.startswith("#"):
        return tag("span", f"#{label or names.get(target[1:], target[1:])}", "mention")
    return tag("a", label or target)
