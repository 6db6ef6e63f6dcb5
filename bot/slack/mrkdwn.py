"""Markdown as Slack's mrkdwn (docs.slack.dev/messaging/formatting-message-text), made from markdown-it's tokens."""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import groupby

from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.text import ZERO_WIDTH, neutralise_mentions

BULLETS = ("•", "◦", "▪")


def escape_mrkdwn(text: str) -> str:
    """Plain text for Slack: its three control characters escaped, so that it holds no links and calls nobody."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return neutralise_mentions(escaped)


def to_mrkdwn(markdown: str) -> str:
    """Markdown as Slack's mrkdwn (docs.slack.dev/messaging/formatting-message-text); calls nobody, whatever it says."""
    return _blocks(_reader().parse(markdown)).strip("\n")


@lru_cache(maxsize=1)
def _reader() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def _blocks(tokens: Sequence[Token]) -> str:
    parts: list[str] = []
    index = 0
    while index < len(tokens):
        end = _closing(tokens, index)
        parts.append(_block(tokens[index], tokens[index + 1 : end]))
        index = end + 1
    return "\n\n".join(part for part in parts if part)


def _closing(tokens: Sequence[Token], index: int) -> int:
    """The index of the token that ends the block which begins here."""
    if tokens[index].nesting != 1:
        return index
    level = tokens[index].level
    return next(n for n in range(index + 1, len(tokens)) if tokens[n].nesting == -1 and tokens[n].level == level)


def _block(token: Token, inner: Sequence[Token]) -> str:
    make = BLOCKS.get(token.type)
    return make(token, inner) if make else escape_mrkdwn(token.content)


def _paragraph(_: Token, inner: Sequence[Token]) -> str:
    return _inline(inner)


def _heading(_: Token, inner: Sequence[Token]) -> str:
    return f"*{_inline(inner).replace('*', '')}*"


def _code_block(token: Token, _: Sequence[Token]) -> str:
    return f"```\n{_code(token.content)}```"


def _quote(_: Token, inner: Sequence[Token]) -> str:
    return "\n".join(f"> {line}" for line in _blocks(inner).splitlines())


def _rule(_: Token, __: Sequence[Token]) -> str:
    return "———"


def _list(opening: Token, inner: Sequence[Token]) -> str:
    number = int(opening.attrs.get("start", 1))
    ordered = opening.type == "ordered_list_open"
    bullet = BULLETS[min(opening.level // 2, len(BULLETS) - 1)]
    lines: list[str] = []
    index = 0
    while index < len(inner):
        end = _closing(inner, index)
        lines.append(_item(f"{number}." if ordered else bullet, inner[index + 1 : end]))
        number += 1
        index = end + 1
    return "\n".join(lines)


def _item(mark: str, inner: Sequence[Token]) -> str:
    first, *rest = _blocks(inner).replace("\n\n", "\n").splitlines() or [""]
    return "\n".join([f"{mark} {first}", *(f"    {line}" for line in rest)])


def _table(_: Token, inner: Sequence[Token]) -> str:
    """Slack has no tables in mrkdwn: an aligned code block."""
    rows: list[list[str]] = []
    for token in inner:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            rows[-1].append(_plain(token))
    widths = [max(map(len, column)) for column in zip(*rows, strict=False)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip() for row in rows]
    return "```\n{}\n```".format(_code("\n".join(lines)))


BLOCKS: dict[str, Callable[[Token, Sequence[Token]], str]] = {
    "paragraph_open": _paragraph,
    "heading_open": _heading,
    "fence": _code_block,
    "code_block": _code_block,
    "blockquote_open": _quote,
    "bullet_list_open": _list,
    "ordered_list_open": _list,
    "table_open": _table,
    "hr": _rule,
}


def _plain(token: Token) -> str:
    return "".join(child.content or ("\n" if child.type.endswith("break") else "") for child in token.children or ())


def _inline(tokens: Sequence[Token]) -> str:
    children = [child for token in tokens for child in token.children or ()]
    return "".join(_spans(children))


def _spans(children: Sequence[Token]) -> Iterator[str]:
    href = ""
    for is_text, group in groupby(children, key=lambda child: child.type == "text"):
        if is_text:
            yield escape_mrkdwn("".join(child.content for child in group))
            continue
        for child in group:
            if child.type == "link_open":
                href = str(child.attrs.get("href", ""))
            yield _span(child, href)


def _span(child: Token, href: str) -> str:
    match child.type:
        case "link_open":
            return f"<{web_address(href)}|" if _is_web(href) else ""
        case "link_close":
            return ">" if _is_web(href) else ""
        case "image":
            return _image(child)
        case "code_inline":
            return f"`{_code(child.content)}`"
        case _:
            return MARKS.get(child.type) or escape_mrkdwn(child.content)


MARKS = {
    "strong_open": "*",
    "strong_close": "*",
    "em_open": "_",
    "em_close": "_",
    "s_open": "~",
    "s_close": "~",
    "softbreak": "\n",
    "hardbreak": "\n",
}


def _image(child: Token) -> str:
    source = str(child.attrs.get("src", ""))
    alternative = escape_mrkdwn(child.content) or "image"
    return f"<{web_address(source)}|{alternative}>" if _is_web(source) else alternative


def _code(text: str) -> str:
    return escape_mrkdwn(text).replace("```", f"`{ZERO_WIDTH}`{ZERO_WIDTH}`")


def web_address(href: str) -> str:
    """An address as it stands in a link of Slack's."""
    return href.replace("&", "&amp;").replace("<", "%3C").replace(">", "%3E").replace("|", "%7C")


def _is_web(href: str) -> bool:
    return href.lower().startswith(("http://", "https://", "mailto:"))
