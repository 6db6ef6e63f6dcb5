"""Why a draft was held and what it rests on, as text."""

from dataclasses import replace

from storage.records import Citation, Draft, Evidence, Triage
from tests.unit.workbench.inbox.test_queue import REVIEW
from workbench.inbox.evidence_view import evidence_html, held_html


def drafted(**draft: object) -> str:
    """The evidence of a draft."""
    made = Draft.model_validate({"text": "Open Settings.", "can_answer": True, "confidence": 0.8, **draft})
    return evidence_html(replace(REVIEW, draft=made))


def test_every_reason_is_listed_and_a_review_without_one_says_so() -> None:
    two = held_html(replace(REVIEW, held_because=("First.", "Second.")))
    assert two.index("First.") < two.index("Second.")
    assert two.count("<li>") == 2
    assert "Held for review." in held_html(replace(REVIEW, held_because=()))
    assert "Held for review." not in two


def test_who_works_on_it_is_named_as_text() -> None:
    assert "is working on this" not in held_html(REVIEW)
    claimed = held_html(replace(REVIEW, claimed_by="<b>Bo</b>"))
    assert "&lt;b&gt;Bo&lt;/b&gt; is working on this." in claimed


def test_confidence_is_a_number_with_its_reasons() -> None:
    page = drafted(evidence=Evidence(reasons=("Three phrasings agree.", "x < y")))
    assert "80%" in page
    assert "<li>Three phrasings agree.</li><li>x &lt; y</li>" in page
    assert "No answer found" in drafted(can_answer=False)


def test_sources_are_numbered_in_order_and_none_is_said() -> None:
    sources = tuple(Citation(chunk_id=str(n), document_id="d", title=f"Title {n}", text=f"Text {n}") for n in (1, 2))
    page = drafted(citations=sources)
    assert page.index("Title 1") < page.index("Text 1") < page.index("Title 2")
    assert "rests on nothing" not in page
    assert "rests on nothing" in drafted()


def test_follow_ups_stand_only_where_there_are_some() -> None:
    assert "Offered next" not in drafted()
    assert "<li>And how do I import?</li>" in drafted(follow_ups=("And how do I import?",))


def test_triage_and_where_the_words_come_from_are_chips() -> None:
    page = evidence_html(replace(REVIEW, triage=Triage(intent="billing", language="de", wants_human=True)))
    assert all(word in page for word in ("billing", "DE", "Asks for a person"))
    assert "Asks for a person" not in drafted()
    assert "Taken word for word" in drafted(model="verbatim")
    assert "gpt-x" in drafted(model="gpt-x")
    assert "Taken word for word" not in drafted(model="gpt-x")
