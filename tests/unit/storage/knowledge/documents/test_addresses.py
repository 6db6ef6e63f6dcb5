"""Knowledge keeps its public addresses: which are taken, from where, and that nothing else becomes a link."""

import pytest

from bot.web.schemas import ChatCitationItem
from storage.errors import InvalidError
from storage.knowledge.documents.addresses import MAX_LENGTH, address_of
from storage.knowledge.documents.readers import read
from storage.records import Chunk, ChunkKind, Hit
from workbench.api.schemas import citation_items

HELP = "https://help.example/reset?a=1&b=2#steps"


@pytest.mark.parametrize("good", [HELP, "http://help.example:8080/x", " https://help.example/ü "])
def test_http_addresses_are_taken(good: str) -> None:
    assert address_of(good) == good.strip()


@pytest.mark.parametrize(
    "bad",
    [
        None,
        7,
        "",
        "handbook, page 3",
        "help.example/reset",
        "javascript:alert(1)",
        "ftp://help.example",
        "https://",
        "https://help.example:port",
        "https://[help",
        "https://user:secret@help.example",
        "https://help.example/a b",
        "https://help.example/<!channel>",
        "https://help.example/a|label",
        "https://help.example/\u202egpj",
        "https://help.example/" + "x" * MAX_LENGTH,
    ],
)
def test_everything_else_is_no_address(bad: object) -> None:
    assert address_of(bad) == ""


@pytest.mark.parametrize("column", ["url", "Link", "SOURCE"])
def test_a_table_may_have_a_column_of_addresses(column: str) -> None:
    text = f"question,answer,{column}\nHow?,So.,{HELP}\nWhy?,Because.,the handbook\n"
    how, why = read("faq.csv", text.encode()).chunks
    assert (how.url, why.url) == (HELP, "")


def test_of_several_columns_the_first_address_counts() -> None:
    text = f'{{"question": "How?", "answer": "So.", "url": "see below", "source": "{HELP}"}}\n'
    (entry,) = read("faq.jsonl", text.encode()).chunks
    assert entry.url == HELP


@pytest.mark.parametrize("key", ["url", "link", "source"])
def test_front_matter_may_name_the_pages_address(key: str) -> None:
    text = f"---\ntitle: Reset\n{key}: {HELP}\n---\n# One\n\nFirst.\n\n# Two\n\nSecond.\n"
    chunks = read("page.md", text.encode()).chunks
    assert [chunk.url for chunk in chunks] == [HELP, HELP]
    assert chunks[0].title.startswith("Reset")


@pytest.mark.parametrize("line", [HELP, f"<{HELP}>", f"Source: {HELP}"])
@pytest.mark.parametrize("name", ["page.md", "page.txt"])
def test_a_first_line_that_is_an_address_is_the_pages_and_not_in_its_text(name: str, line: str) -> None:
    (passage,) = read(name, f"{line}\n\nPress the button.\n".encode()).chunks
    assert (passage.url, passage.text) == (HELP, "Press the button.")


def test_a_citation_carries_its_address_and_clients_see_the_field_only_where_there_is_one() -> None:
    known = {"workspace_id": "w", "document_id": "d", "kind": ChunkKind.FAQ, "title": "How?", "text": "So."}
    hits = [
        Hit(chunk=Chunk(id="c", url=url, **known), score=1, dense=1, keyword=1, matched="How?") for url in (HELP, "")
    ]
    linked, plain = citation_items([hit.citation() for hit in hits])
    assert linked.model_dump()["url"] == HELP
    assert plain.model_dump().keys() == {"title", "text", "document_id"}
    assert ChatCitationItem(title="How?", text="So.", document_id="d").model_dump().keys() == {
        "title",
        "text",
        "document_id",
    }


def test_an_address_inside_the_text_stays_there() -> None:
    (passage,) = read("page.md", f"Look at {HELP} first.\n".encode()).chunks
    assert passage.url == ""
    assert HELP in passage.text


def test_a_page_that_is_only_an_address_has_no_text() -> None:
    with pytest.raises(InvalidError):
        read("page.txt", HELP.encode())
