"""HTML escaping and components: everything that a person or a model wrote is escaped here."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from html import escape

from markdown_it import MarkdownIt


def esc(text: object) -> str:
    """Text that shows as it is, in an element or an attribute."""
    return escape(str(text), quote=True)


def plain_reason(reason: str) -> str:
    """A reason of the policy without Markdown's ticks: “refund” instead of `refund`."""
    return re.sub(r"`([^`]*)`", r"“\1”", reason)


def markdown(text: str) -> str:
    """Markdown as HTML; HTML in it shows as text, images and links with odd schemes are not made."""
    return str(_renderer().render(text))


def relative_time(at: datetime, css: str = "") -> str:
    """A time that the browser shows as an age ("5 min") and keeps up to date; exact on hover."""
    return f'<time class="dh-age {css}" datetime="{at.isoformat(timespec="seconds")}"></time>'


def clock_time(at: datetime) -> str:
    """A time that the browser shows in the reader's zone."""
    return f'<time class="dh-clock" datetime="{at.isoformat(timespec="seconds")}"></time>'


def chip(text: str, tone: str = "", *, title: str = "") -> str:
    """A small label; `tone` is one of theme.css: ok, warn, danger, accent, or empty."""
    hint = f' title="{esc(title)}"' if title else ""
    return f'<span class="dh-chip {tone}"{hint}>{esc(text)}</span>'


def empty_state(title: str, advice: str) -> str:
    """What a list shows when there is nothing in it, and what to do."""
    return f'<div class="dh-empty"><strong>{esc(title)}</strong><p>{esc(advice)}</p></div>'


def table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]], css: str = "") -> str:
    """A table of cells that are HTML already."""
    head = "".join(f"<th>{esc(name)}</th>" for name in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return (
        f'<div class="dh-table-box"><table class="dh-table {css}"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def metric_tiles(tiles: Sequence[tuple[str, str]]) -> str:
    """Tiles of a number and the words under it."""
    items = "".join(
        f'<div class="dh-tile"><b>{esc(value)}</b><span>{esc(words)}</span></div>' for value, words in tiles
    )
    return f'<div class="dh-tiles">{items}</div>'


def bar_chart(title: str, values: Mapping[str, float], tones: Mapping[str, str], *, share: bool = False) -> str:
    """Named horizontal bars; `share`: the values are parts of 1."""
    most = 1.0 if share else max(values.values(), default=0)
    rows = "".join(
        f'<div class="{tones.get(name, "")}"><span>{esc(name)}</span>'
        f'<u><i style="width:{value / most if most else 0:.1%}"></i></u>'
        f"<em>{f'{value:.0%}' if share else f'{value:.0f}'}</em></div>"
        for name, value in values.items()
    )
    body = (
        f'<div class="dh-bars">{rows}</div>'
        if any(values.values())
        else empty_state("Nothing yet", "No data in this period.")
    )
    return f'<div class="dh-box"><h3>{esc(title)}</h3>{body}</div>'


def source_details(title: str, body: str, number: int | None = None) -> str:
    """A source that opens by a click; `body` is HTML already, `number` is the citation's."""
    numbered = "" if number is None else f'<span class="dh-number">{number}</span>'
    return (
        f'<details class="dh-source"><summary>{numbered}{esc(title)}</summary>'
        f'<div class="dh-body">{body}</div></details>'
    )


@cache
def _renderer() -> MarkdownIt:
    renderer = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable("table").disable("image")
    renderer.validateLink = _is_safe  # type: ignore[method-assign]  # markdown-it's own way to set it
    return renderer


def _is_safe(url: str) -> bool:
    return url.strip().lower().startswith(("https://", "http://", "mailto:", "tel:"))
