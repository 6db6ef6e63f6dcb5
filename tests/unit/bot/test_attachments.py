"""Customers' files: what is read into the message and what stays a link."""

import pytest

from bot.attachments import (
    MAX_FILE_CHARACTERS,
    MAX_READ_BYTES,
    TRUNCATED,
    decode_text,
    inline_files,
    is_readable,
)
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


@pytest.mark.parametrize(
    ("size", "is_read"), [(0, False), (1, True), (MAX_READ_BYTES, True), (MAX_READ_BYTES + 1, False)]
)
def test_a_file_that_is_read_has_something_and_not_too_much(size: int, is_read: bool) -> None:
    assert is_readable("a.txt", "text/plain", size) is is_read


@pytest.mark.parametrize(
    ("name", "media_type", "is_read"),
    [
        ("a", "application/json", True),
        ("a", " Application/JSON ; charset=utf-8", True),
        ("a.YML", "", True),
        ("a.csv", "application/vnd.ms-excel", True),
        ("a.tar.log", "", True),
        ("a.txt.png", "", False),
        ("a.txtx", "", False),
        ("txt", "", False),
        ("a", "application/x-text/plain", False),
    ],
)
def test_a_file_is_text_by_its_kind_or_else_by_its_name(name: str, media_type: str, is_read: bool) -> None:
    assert is_readable(name, media_type, 10) is is_read


def file(name: str, text: str | None = None) -> Attachment:
    return Attachment(name, f"https://x.example/{name}", text=text)


def test_a_file_that_just_fits_is_not_cut_and_leaves_no_room() -> None:
    whole, late = file("a.txt", "x" * MAX_FILE_CHARACTERS), file("b.txt", "y")
    text, unread = inline_files("", (whole, late))
    assert text == f"a.txt:\n{'x' * MAX_FILE_CHARACTERS}"
    assert unread == (late,)


def test_files_share_the_room_and_the_last_one_is_cut_to_it() -> None:
    text, unread = inline_files("Hi", (file("a.txt", "x" * (MAX_FILE_CHARACTERS - 20)), file("b.txt", "y" * 21)))
    assert text.endswith(f"\n\nb.txt:\n{'y' * (20 - len(TRUNCATED))}{TRUNCATED}")
    assert unread == ()


def test_blanks_around_what_was_written_are_left_out() -> None:
    assert inline_files("  Hi \n", (file("a.txt", "\n x \n"),)) == ("Hi\n\na.txt:\nx", ())


def test_a_message_of_files_alone_names_them() -> None:
    pictures = (file("p.png"), file("q.png"))
    assert inline_files(" ", pictures) == ("(sent p.png, q.png)", pictures)
    assert inline_files("", (file("a.txt", "x"), *pictures)) == ("a.txt:\nx", pictures)
    assert inline_files("Look", pictures) == ("Look", pictures)
