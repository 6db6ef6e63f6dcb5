"""Structure-aware chunking: texts cut at headings, then at about 900 characters between paragraphs or sentences."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import PurePath

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from storage.errors import InvalidError
from storage.knowledge.documents.addresses import address_in, address_line
from storage.knowledge.documents.decoding import decode
from storage.knowledge.documents.parsed import ParsedChunk, ParsedFile
from storage.knowledge.documents.splitting import LINE_ENDS, SENTENCE_ENDS, split_text
from storage.records import ChunkKind

SIZE = 900
"""Characters of a passage: about what the embedding model reads (256 tokens)."""
MAX_BLOCK = 3_000
"""Code and tables up to this length are not broken."""
MAX_PASSAGES = 100_000
MAX_TITLE = 200
PATH_SEPARATOR = " › "  # noqa: RUF001 - the sign between the steps of a path
FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.{0,20000}?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, list, table or code block, with the headings above it."""

    kind: str
    path: tuple[str, ...]
    text: str


def read_markdown(name: str, content: bytes) -> ParsedFile:
    """Markdown: front matter names the title and the page's address, headings make the path."""
    title, url, body = _front_matter(decode(content))
    first, body = ("", body) if url else address_line(body)
    return _parsed(title or _title_of(name), url or first, _blocks(body))


def read_text(name: str, content: bytes) -> ParsedFile:
    """Plain text: paragraphs under the file's name; a first line that is an address is the text's own."""
    url, text = address_line(decode(content))
    paragraphs = re.split(r"\n\s*\n", text)
    return _parsed(_title_of(name), url, (Block("paragraph", (), paragraph.strip()) for paragraph in paragraphs))


def _parsed(title: str, url: str, blocks: Iterable[Block]) -> ParsedFile:
    chunks: list[ParsedChunk] = []
    for path, text in _pack(blocks):
        chunks.append(ParsedChunk(ChunkKind.PASSAGE, _heading_path(title, path), text, url=url))
        if len(chunks) > MAX_PASSAGES:
            raise InvalidError(f"The file gives more than {MAX_PASSAGES:,} passages. Split it.")
    if not chunks:
        raise InvalidError("There is no text in this file.")
    return ParsedFile(tuple(chunks))


def _title_of(name: str) -> str:
    return re.sub(r"[-_\s]+", " ", PurePath(name).stem).strip() or "Untitled"


def _heading_path(title: str, path: tuple[str, ...]) -> str:
    steps = dict.fromkeys(step for step in (title, *path) if step)
    # A page usually repeats its title as its first heading, in other capitals.
    distinct = {step.casefold(): step for step in steps}
    return PATH_SEPARATOR.join(distinct.values())[:MAX_TITLE]


def _front_matter(text: str) -> tuple[str, str, str]:
    """The title and the address that the front matter gives, or nothing, and the text after it."""
    found = FRONT_MATTER.match(text)
    if not found:
        return "", "", text
    try:
        values = yaml.safe_load(found[1])
    except (yaml.YAMLError, ValueError, RecursionError):
        values = None
    given = values if isinstance(values, dict) else {}
    title = given.get("title")
    return (" ".join(title.split()) if isinstance(title, str) else ""), address_in(given), text[found.end() :]


def _blocks(text: str) -> Iterator[Block]:
    """The top-level blocks of a Markdown text, as written."""
    lines = text.split("\n")
    path: list[tuple[int, str]] = []
    tokens = MarkdownIt("commonmark", {"maxNesting": 20}).enable("table").parse(text)
    for token, following in zip_longest(tokens, tokens[1:]):
        if token.level or not token.map:
            continue
        if token.type == "heading_open" and following:
            level = int(token.tag[1:])
            path = [(above, name) for above, name in path if above < level] + [(level, _heading_text(following))]
        elif not _is_comment(token):
            source = "\n".join(lines[token.map[0] : token.map[1]]).strip("\n").rstrip()
            yield Block(token.type.removesuffix("_open"), tuple(name for _, name in path), source)


def _heading_text(inline: Token) -> str:
    """A heading's words without its marks, links and images."""
    parts = (child.content for child in inline.children or () if child.type in {"text", "code_inline"})
    return " ".join("".join(parts).split())


def _is_comment(token: Token) -> bool:
    return token.type == "hr" or (token.type == "html_block" and token.content.lstrip().startswith("<!--"))


def _pack(blocks: Iterable[Block]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Blocks under one heading joined up to the size of a passage."""
    path: tuple[str, ...] = ()
    held: list[str] = []
    for block in blocks:
        for part in _split(block):
            size = sum(map(len, held)) + 2 * len(held)
            if held and (block.path != path or size + len(part) > SIZE):
                yield path, "\n\n".join(held)
                held = []
            path = block.path
            held.append(part)
    if held:
        yield path, "\n\n".join(held)


def _split(block: Block) -> list[str]:
    text = block.text
    if not text.strip():
        return []
    keeps_whole = block.kind in {"fence", "code_block", "table"}
    if len(text) <= (MAX_BLOCK if keeps_whole else SIZE):
        return [text]
    if block.kind == "table":
        return _split_table(text)
    return split_text(text, SIZE, LINE_ENDS if keeps_whole else SENTENCE_ENDS)


def _split_table(text: str) -> list[str]:
    """Rows in groups, each under the table's two header lines."""
    first, second, *rows = text.split("\n")
    header = f"{first}\n{second}"[:SIZE]
    parts: list[str] = []
    held = ""
    for row in rows:
        if held and len(header) + len(held) + len(row) > SIZE:
            parts.append(header + held)
            held = ""
        held += "\n" + row[:MAX_BLOCK]
    return [*parts, header + held]
