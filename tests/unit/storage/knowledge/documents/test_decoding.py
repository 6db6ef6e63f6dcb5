"""Text is read in the encodings that spreadsheets write; what would be guessed is refused."""

import pytest

from storage.errors import InvalidError
from storage.knowledge.documents.decoding import decode
from storage.knowledge.documents.readers import read


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_accents_survive_the_encodings_that_spreadsheets_write(encoding: str) -> None:
    text = "question;answer\nWie ändere ich die Größe?;Über „Profil“ für 5 €.\n"
    (entry,) = read("faq.csv", text.encode(encoding)).chunks
    assert entry.title == "Wie ändere ich die Größe?"
    assert entry.text == "Über „Profil“ für 5 €."


@pytest.mark.parametrize(
    "content", ["question,answer\nЖизнь,Любви\n".encode("cp1251"), b"question,answer\n\x00\x01,x\n"]
)
def test_other_encodings_are_refused_instead_of_guessed(content: bytes) -> None:
    with pytest.raises(InvalidError, match="UTF-8"):
        read("faq.csv", content)


def test_newlines_become_one_kind() -> None:
    assert decode(b"a\r\nb\rc\nd") == "a\nb\nc\nd"


@pytest.mark.parametrize("content", ["größer".encode(), "größer ist es".encode("cp1252"), "\ufeffgrößer".encode()])
def test_no_mark_is_left_of_the_encoding(content: bytes) -> None:
    assert decode(content).startswith("größer")


@pytest.mark.parametrize("content", [b"a\0b", "a\0b".encode("utf-16"), b"\x81\x8d"])
def test_what_is_no_text_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidError, match="not a text file"):
        decode(content)


def test_bytes_that_make_no_sense_as_western_text_are_refused() -> None:
    assert decode(("a" * 7 + "äöü").encode("cp1252")) == "a" * 7 + "äöü"
    with pytest.raises(InvalidError, match="encoding is not known"):
        decode(("a" * 6 + "äöü").encode("cp1252"))
