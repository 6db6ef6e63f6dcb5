"""Registry of readers by file extension: one reader per format, one line in the table."""

from collections.abc import Callable, Mapping
from pathlib import PurePath
from types import MappingProxyType

from storage.errors import InvalidError
from storage.knowledge.documents.faq import read_csv, read_json, read_json_lines
from storage.knowledge.documents.parsed import ParsedFile
from storage.knowledge.documents.passages import read_markdown, read_text

Reader = Callable[[str, bytes], ParsedFile]
"""Takes the file's name and content. Raises InvalidError if nothing of it can be used."""

READERS: Mapping[str, Reader] = MappingProxyType(
    {
        ".csv": read_csv,
        ".tsv": read_csv,
        ".json": read_json,
        ".jsonl": read_json_lines,
        ".md": read_markdown,
        ".mdx": read_markdown,
        ".markdown": read_markdown,
        ".txt": read_text,
    }
)


def reader_of(filename: str) -> Reader:
    """The reader for this file's extension. Raises InvalidError, which lists what is accepted."""
    extension = PurePath(filename).suffix.lower()
    if extension not in READERS:
        raise InvalidError(f"Files of type `{extension or filename}` are not accepted; accepted: {', '.join(READERS)}.")
    return READERS[extension]


def read(filename: str, content: bytes) -> ParsedFile:
    """Read a file by its extension. Raises InvalidError if it cannot be used at all; single rows are refused."""
    if not content.strip():
        raise InvalidError("The file is empty.")
    loaded = reader_of(filename)(filename, content)
    if not loaded.chunks and not loaded.refused:
        raise InvalidError("There are no entries in this file.")
    return loaded
