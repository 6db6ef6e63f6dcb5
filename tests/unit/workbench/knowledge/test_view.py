"""What the knowledge page says of documents, their rows and the answer that a customer would get."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from storage.records import (
    Chunk,
    ChunkKind,
    Document,
    DocumentStatus,
    Draft,
    Hit,
    RejectedRow,
    Route,
    Triage,
    Verdict,
)
from workbench.knowledge.view import (
    REFUSED_SHOWN,
    answer_html,
    document_html,
    documents_html,
    size_words,
)

READY = Document("d1", "w", "faq.csv", DocumentStatus.READY, 2, (), None, 2048, datetime(2026, 5, 4, tzinfo=UTC))
LOADING = replace(READY, status=DocumentStatus.LOADING)
ENTRY = Chunk(
    id="a",
    workspace_id="w",
    document_id="d1",
    kind=ChunkKind.FAQ,
    title="How do I pay?",
    text="By **card**.",
    alternatives=("Can I pay?", "Which cards?"),
    tags=("billing",),
)
PASSAGE = Chunk(id="b", workspace_id="w", document_id="d1", kind=ChunkKind.PASSAGE, title="Orders", text="Text.")


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1 KB"),
        (1024 * 1024 - 1, "1024 KB"),
        (1024 * 1024, "1.0 MB"),
        (1_600_000, "1.5 MB"),
    ],
)
def test_a_size_is_said_in_the_unit_that_fits(size: int, words: str) -> None:
    assert size_words(size) == words


def test_without_documents_the_page_says_who_can_load_one() -> None:
    assert "Load a FAQ" in documents_html([], "", may_load=True)
    assert "Ask an admin" in documents_html([], "", may_load=False)


def test_only_the_document_that_is_open_is_marked() -> None:
    html = documents_html([READY, replace(READY, id="d2")], "d2", may_load=True)
    assert 'data-doc="d2" aria-current="true"' in html
    assert html.count("aria-current") == 1


def test_a_row_shows_how_much_was_refused() -> None:
    assert "<td>2</td><td>0</td><td>2 KB</td>" in documents_html([READY], "", may_load=True)
    refused = replace(READY, refused=(RejectedRow(3, "The answer is empty."),))
    assert '<td><span class="dh-chip warn">1</span></td>' in documents_html([refused], "", may_load=True)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (LOADING, ">Loading …<"),
        (replace(LOADING, progress=40), ">Loading, 40 %<"),
        (replace(READY, progress=40), ">Ready<"),
        (replace(READY, status=DocumentStatus.FAILED, error="broken"), 'danger" title="broken">Failed<'),
    ],
)
def test_a_status_says_how_far_a_document_has_come(document: Document, words: str) -> None:
    assert words in documents_html([document], "", may_load=True)


def test_a_document_that_is_loading_shows_a_meter_instead_of_its_entries() -> None:
    html = document_html(replace(LOADING, progress=40), [ENTRY])
    assert "width: 40%" in html
    assert ENTRY.title not in html


def test_a_document_shows_its_entries_and_how_many_more_there_are() -> None:
    html = document_html(replace(READY, entries=5), [ENTRY, PASSAGE])
    for words in ("By <strong>card</strong>", "Also asked as: Can I pay? · Which cards?", ">FAQ<", ">billing<"):
        assert html.count(words) == 1
    assert ">Passage<" in html
    assert "and 3 more entries" in html
    assert "more entries" not in document_html(READY, [ENTRY, PASSAGE])


def test_an_error_is_told_and_none_is_not() -> None:
    assert '<p class="dh-alert">broken</p>' in document_html(replace(READY, error="broken"), [])
    assert "dh-alert" not in document_html(READY, [])


def test_refused_rows_come_with_their_reasons_up_to_a_number() -> None:
    rows = tuple(RejectedRow(number, f"reason {number}") for number in range(1, REFUSED_SHOWN + 3))
    html = document_html(replace(READY, refused=rows), [])
    assert f"<td>{REFUSED_SHOWN}</td><td>reason {REFUSED_SHOWN}</td>" in html
    assert f"reason {REFUSED_SHOWN + 1}<" not in html
    assert "and 2 more<" in html
    assert "more</p>" not in document_html(replace(READY, refused=rows[:REFUSED_SHOWN]), [])
    assert "Refused rows" not in document_html(READY, [])


def answer(draft: Draft, route: Route, *reasons: str, hits: tuple[Hit, ...] = ()) -> str:
    return answer_html(draft, Verdict(route=route, held_because=reasons), Triage(intent="refund"), hits)


@pytest.mark.parametrize(
    ("route", "words"), [(Route.SEND, "answer alone"), (Route.REVIEW, "look at this draft"), (Route.HANDOFF, "by hand")]
)
def test_the_answer_says_who_would_give_it(route: Route, words: str) -> None:
    assert words in answer(Draft(), route)


def test_the_answer_shows_the_draft_its_confidence_and_why_it_is_held() -> None:
    html = answer(Draft(text="By *card*.", can_answer=True, confidence=0.8), Route.REVIEW, "`refund` is watched")
    for words in ("By <em>card</em>.", "Likely right: 80%", "<ul><li>“refund” is watched</li></ul>", ">refund<"):
        assert words in html
    assert ">medium priority<" in html


def test_an_answer_without_draft_reasons_or_hits_says_so() -> None:
    html = answer(Draft(), Route.HANDOFF)
    assert "There is no reply to propose." in html
    assert "Nothing was found" in html
    assert "<ul>" not in html


def test_what_was_found_comes_with_its_scores() -> None:
    hit = Hit(chunk=ENTRY, score=0.756, dense=0.654, keyword=3.21, matched=ENTRY.title)
    html = answer(Draft(), Route.SEND, hits=(hit,))
    assert "score 0.76 · meaning 0.65 · words 3.2" in html
    assert "Nothing was found" not in html


def test_what_admins_loaded_is_text_on_the_page() -> None:
    attack = "<script>x</script>"
    hostile = replace(READY, filename=attack, error=attack, refused=(RejectedRow(2, attack),))
    chunk = ENTRY.model_copy(update={"title": attack, "text": attack, "alternatives": (attack,), "tags": (attack,)})
    hit = Hit(chunk=chunk, score=0, dense=0, keyword=0, matched="")
    for html in (
        documents_html([hostile], "", may_load=True),
        document_html(hostile, [chunk]),
        answer(Draft(text=attack), Route.SEND, attack, hits=(hit,)),
    ):
        assert "<script>" not in html
