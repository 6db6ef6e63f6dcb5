"""Sanitised Markdown: replies as safe HTML, by the small part of Markdown that support answers use."""

import re
from functools import lru_cache
from typing import Any

from markdown_it import MarkdownIt

SAFE_LINK = re.compile(r"https?://", re.IGNORECASE)
MARKDOWN_RULES = (
    "paragraph",
    "text",
    "newline",
    "emphasis",
    "strikethrough",
    "balance_pairs",
    "fragments_join",
    "backticks",
    "list",
    "code",
    "fence",
    "blockquote",
    "heading",
    "lheading",
    "hr",
    "escape",
    "entity",
    "link",
    "autolink",
    "table",
)


@lru_cache(maxsize=1024)
def to_html(text: str) -> str:
    """The HTML of a reply: raw HTML is shown as text, images are not loaded, links are http(s) only."""
    return str(_reader().render(text))


@lru_cache(maxsize=1)
def _reader() -> MarkdownIt:
    reader = MarkdownIt("zero", {"html": False, "breaks": True}).enable(list(MARKDOWN_RULES))
    reader.validateLink = _is_safe  # type: ignore[method-assign]  # the library's documented way
    reader.add_render_rule("link_open", _link_open)
    return reader


def _is_safe(url: str) -> bool:
    return SAFE_LINK.match(url) is not None


def _link_open(renderer: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
    tokens[index].attrSet("rel", "noopener noreferrer")
    tokens[index].attrSet("target", "_blank")
    return str(renderer.renderToken(tokens, index, options, env))
