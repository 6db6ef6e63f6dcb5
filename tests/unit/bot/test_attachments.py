"""Customers' files: what is read into the message and what stays a link."""

from bot.attachments import TRUNCATED, decode_text, inline_files, is_readable
from storage.records import Attachment


def test_text_files_are_read_into_the_message_and_the_others_stay_links() -> None:
    log = Attachment("a.log", "https://x.example", text="line\n" * 900)
    picture = Attachment("p.png", "https://x.example")
    text, unread = inline_files("Look:", (log, picture))
    assert text.startswith("Look:\n\na.log:\nline")
    assert text.endswith(TRUNCATED)
    assert len(text) < 2000
    assert unread == (picture,)
    assert inline_files("", (picture,))[0] == "(sent p.png)"


def test_only_small_text_like_files_are_read() -> None:
    assert is_readable("a.txt", "", 10)
    assert is_readable("a", "text/plain; charset=utf-8", 10)
    assert not is_readable("a.png", "image/png", 10)
    assert not is_readable("a.txt", "text/plain", 10_000_000)
    assert decode_text(b"\xff\xfe") is None
    assert decode_text(b"a\0b") is None
    assert decode_text("\ufeffü".encode()) == "ü"
