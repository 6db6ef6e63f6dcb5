"""A file's extension chooses its reader."""

import pytest

from storage.errors import InvalidError
from storage.knowledge.documents.readers import READERS, read, reader_of


def test_an_unknown_extension_is_told_what_is_accepted() -> None:
    with pytest.raises(InvalidError, match=r"`\.exe` are not accepted; accepted: \.csv, .*\.md"):
        read("setup.exe", b"MZ")


@pytest.mark.parametrize("name", ["a.csv", "a.json", "a.md", "a.txt", "a.jsonl"])
@pytest.mark.parametrize("content", [b"", b"  \n \n"])
def test_an_empty_file_is_refused(name: str, content: bytes) -> None:
    with pytest.raises(InvalidError, match="empty"):
        read(name, content)


def test_capitals_in_an_extension_do_not_matter() -> None:
    assert all(reader_of(f"FILE{extension.upper()}") is reader for extension, reader in READERS.items())


@pytest.mark.parametrize("name", ["faq.csv", "faq.json", "faq.jsonl"])
def test_a_file_without_entries_is_refused(name: str) -> None:
    contents = {"faq.csv": b"question,answer\n", "faq.json": b"[]", "faq.jsonl": b"\xef\xbb\xbf"}
    with pytest.raises(InvalidError, match="no entries"):
        read(name, contents[name])
