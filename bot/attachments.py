"""Attachments: text-like files are read into the message, the others are kept as links."""

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from storage.records import Attachment

TEXT_SUFFIXES = r"\.(txt|md|log|[ct]sv|json|ya?ml|toml|ini|cfg|conf|xml|html|py|js|ts|sh|sql|diff|patch)"
READABLE = re.compile(TEXT_SUFFIXES, re.IGNORECASE)
MAX_READ_BYTES = 64 * 1024
"""A larger file is not downloaded: a person looks at it."""
MAX_FILE_CHARACTERS = 1500
"""How much of a message's files is read into it: with the customer's own words it must stay below the guard's limit."""
TRUNCATED = "… (cut)"


def is_readable(name: str, media_type: str, size: int) -> bool:
    """Whether a file is text-like and small enough to be read into the message."""
    kind = media_type.partition(";")[0].strip().lower()
    text_like = kind.startswith("text/") or kind == "application/json"
    named_so = READABLE.fullmatch(PurePosixPath(name).suffix) is not None
    return 0 < size <= MAX_READ_BYTES and (text_like or named_so)


def decode_text(content: bytes) -> str | None:
    """The text of a file's bytes; None if they are no text after all."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def inline_files(text: str, attachments: Iterable[Attachment]) -> tuple[str, tuple[Attachment, ...]]:
    """The text with what its readable files say, and the files that are not in it."""
    parts, unread, left = [text.strip()], [], MAX_FILE_CHARACTERS
    for attachment in attachments:
        if attachment.text is None or left <= 0:
            unread.append(attachment)
            continue
        shown = attachment.text.strip()
        shown = shown if len(shown) <= left else shown[: left - len(TRUNCATED)] + TRUNCATED
        left -= len(shown)
        parts.append(f"{attachment.name}:\n{shown}")
    if not parts[0] and len(parts) == 1:
        parts[0] = "(sent {})".format(", ".join(attachment.name for attachment in unread))
    return "\n\n".join(part for part in parts if part), tuple(unread)
