"""Without a chat model the reply is what the knowledge says, word for word."""

from graph.confidence import assess
from graph.drafting.verbatim import MAX_EXCERPT_LENGTH, excerpt, verbatim_draft
from storage.records import ChunkKind
from tests.unit.graph.test_confidence import OTHERS, hit

ANSWER = "Open  *Billing*,\n\npress Cancel.\t✓ "
CANCEL = hit("How do I cancel my order?", 0.9, text=ANSWER)


def test_the_answer_is_the_entry_word_for_word_and_cited() -> None:
    draft = verbatim_draft("cancel my order", (CANCEL, *OTHERS))
    assert draft.can_answer
    assert draft.text == draft.sentences[0].text == ANSWER
    assert draft.sentences[0].chunk_ids == (CANCEL.chunk.id,)
    assert [citation.chunk_id for citation in draft.citations] == [CANCEL.chunk.id]
    assert draft.model == "verbatim"
    assert (draft.confidence, draft.evidence) == assess("cancel my order", (CANCEL, *OTHERS))


def test_follow_ups_are_at_most_three_other_questions_that_are_near() -> None:
    others = [hit(f"Question {number}?", 0.5) for number in range(5)]
    page = hit("A page", 0.6, kind=ChunkKind.PASSAGE)
    draft = verbatim_draft("cancel my order", (CANCEL, page, CANCEL, hit("Far away?", 0.1), *others))
    assert draft.follow_ups == ("Question 0?", "Question 1?", "Question 2?")


def test_nothing_near_means_no_answer_but_candidates_for_the_agent() -> None:
    far = tuple(hit(f"Question {number}?", 0.1, text="x") for number in range(5))
    draft = verbatim_draft("do you sell tea", far)
    assert (draft.can_answer, draft.text, draft.follow_ups) == (False, "", ())
    assert [citation.title for citation in draft.citations] == ["Question 0?", "Question 1?", "Question 2?"]


def test_no_hits_mean_no_answer() -> None:
    assert not verbatim_draft("anything", ()).can_answer
    assert verbatim_draft("anything", ()).citations == ()


def test_an_entry_without_an_answer_cannot_answer() -> None:
    assert not verbatim_draft("cancel my order", (hit("How do I cancel my order?", 0.95),)).can_answer


def test_a_short_passage_is_given_whole() -> None:
    passage = hit("Orders", 0.9, kind=ChunkKind.PASSAGE, text="You may cancel an order. Write to us.")
    assert verbatim_draft("cancel my order", (passage,)).text == "You may cancel an order. Write to us."


def test_a_long_passage_is_cut_to_the_sentences_that_matter() -> None:
    filler = "Our shop was founded a long time ago by people who liked shops. " * 12
    passage = f"{filler}\n\nOrders can be cancelled within 14 days. {filler}"
    found = excerpt("How do I cancel an order?", passage)
    assert "Orders can be cancelled within 14 days." in found
    assert found in passage
    assert len(found) <= MAX_EXCERPT_LENGTH
    assert found[0].isupper()
    assert found.endswith(".")


def test_code_is_never_torn() -> None:
    code = "```\n" + "run --cancel. Then\n\nwait\n" * 40 + "```"
    found = excerpt("run cancel", "Before this. " * 60 + "\n\n" + code)
    assert found.count("```") in {0, 2}
