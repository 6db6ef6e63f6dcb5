"""Evidence becomes a probability that moves the right way, with reasons in plain words."""

import math

import pytest

from graph.confidence import COEFFICIENTS, INTERCEPT, MAX_READ_LENGTH, assess, features
from storage.records import Chunk, ChunkKind, Hit


def hit(title: str, dense: float = 0.8, agreement: float | None = None, *, text: str = "", **fields: object) -> Hit:
    chunk = Chunk.model_validate(
        {"id": title, "workspace_id": "w", "document_id": "d", "kind": "faq", "title": title, "text": text, **fields}
    )
    agreed = dense - 0.05 if agreement is None else agreement
    return Hit(chunk=chunk, score=dense, dense=dense, keyword=1.0, matched=title, agreement=agreed)


CANCEL = hit("How do I cancel my order?")
OTHERS = (hit("Where is my order?", 0.5), hit("How do I pay?", 0.3))


def confidence(query: str, *hits: Hit) -> float:
    return assess(query, hits)[0]


def reasons(query: str, *hits: Hit) -> str:
    return "\n".join(assess(query, hits)[1].reasons)


@pytest.mark.parametrize("query", ["How do I cancel my order?", ""])
def test_no_hits_mean_no_confidence(query: str) -> None:
    assert assess(query, ())[0] == 0
    assert "Nothing" in reasons(query)


def test_a_text_without_words_means_no_confidence() -> None:
    assert confidence("?!", CANCEL) == 0


def test_a_close_match_far_ahead_is_trusted_and_a_loose_one_is_not() -> None:
    assert confidence("How can I cancel an order?", hit("How do I cancel my order?", 0.95), *OTHERS) > 0.9
    assert confidence("Do you sell tea?", hit("How do I cancel my order?", 0.2), hit("How do I pay?", 0.19)) < 0.05


def test_confidence_rises_with_the_cosine_and_with_agreement() -> None:
    query = "cancel my order"
    rising = [confidence(query, hit(CANCEL.chunk.title, dense), *OTHERS) for dense in (0.4, 0.6, 0.8, 0.95)]
    assert rising == sorted(rising)
    agreeing = [confidence(query, hit(CANCEL.chunk.title, 0.8, agreement), *OTHERS) for agreement in (0.4, 0.6, 0.8)]
    assert agreeing == sorted(agreeing)


def test_a_near_rival_lowers_confidence_and_is_named() -> None:
    rival = hit("How do I cancel my trial?", 0.79)
    assert confidence("cancel", CANCEL, rival) < confidence("cancel", CANCEL, *OTHERS) - 0.05
    assert "“How do I cancel my order?” and “How do I cancel my trial?”" in reasons("cancel", CANCEL, rival)


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("No cancellation of order", "denies"),
        ("My order is cancelled", "has happened already"),
        ("I am unable to cancel my order", "reports a problem"),
        ("place my order", "opposite"),
    ],
)
def test_a_mismatch_lowers_confidence_and_is_said(query: str, reason: str) -> None:
    near = hit(CANCEL.chunk.title, 0.65)
    assert confidence(query, near, *OTHERS) < confidence("cancel my order", near, *OTHERS) - 0.05
    assert reason in reasons(query, CANCEL, *OTHERS)


@pytest.mark.parametrize("query", ["No cancellation of order", "My order is cancelled"])
def test_the_worst_mistakes_stay_below_the_default_threshold(query: str) -> None:
    """What live users wrote, and a bot answered with how to cancel."""
    assert confidence(query, hit(CANCEL.chunk.title, 0.7), *OTHERS) < 0.65


def test_an_entry_about_the_same_trouble_is_no_mismatch() -> None:
    entry = hit("How do I cancel my order?", alternatives=("I am unable to cancel",))
    assert "problem" not in reasons("I am unable to cancel my order", entry, *OTHERS)


def test_words_that_the_entry_lacks_lower_confidence_and_are_listed() -> None:
    query = "cancel my wooden giraffe order"
    assert confidence(query, CANCEL, *OTHERS) < confidence("cancel my order", CANCEL, *OTHERS)
    assert "Words not in the entry: wooden, giraffe" in reasons(query, CANCEL, *OTHERS)


def test_a_close_match_is_said_with_its_phrasing() -> None:
    assert "Close match to a known phrasing: “How do I cancel my order?”" in reasons("cancel", CANCEL)


def test_a_passage_is_called_what_it_is() -> None:
    passage = hit("Orders", 0.6, 0.6, text="You may cancel an order.", kind=ChunkKind.PASSAGE)
    assert "longer document" in reasons("cancel my order", passage)


@pytest.mark.parametrize("others", [(), OTHERS[:1], OTHERS])
def test_a_handful_of_entries_is_enough(others: tuple[Hit, ...]) -> None:
    found = features("cancel my order", (CANCEL, *others))
    assert found.keys() == COEFFICIENTS.keys()
    assert 0 < found["margin"] < 0.5
    assert 0 < confidence("cancel my order", CANCEL, *others) < 1


def test_a_tie_needs_two_hits() -> None:
    """Without a rival the margin may be as small, but there is nothing to confuse the entry with."""
    alone = hit("How do I cancel my order?", 0.32, 0.32)
    assert features("cancel", (alone,))["margin"] < 0.04
    assert "almost equally well" not in reasons("cancel", alone)
    assert "almost equally well" in reasons("cancel", alone, hit("How do I pay?", 0.31, 0.31))


def test_four_rivals_are_compared_and_no_more() -> None:
    four = [hit(f"Rival {number}", 0.4) for number in range(4)]
    assert features("cancel", (CANCEL, *four)) == features("cancel", (CANCEL, *four, hit("A fifth", 0.79)))


def test_a_small_knowledge_is_compared_with_what_unrelated_texts_usually_have() -> None:
    assert features("cancel", (CANCEL,))["background"] == pytest.approx(0.3)


def test_what_speaks_against_a_hit_is_said_first() -> None:
    said = assess("My order is cancelled", (hit(CANCEL.chunk.title, 0.9), *OTHERS))[1].reasons
    assert "has happened already" in said[0]
    assert said[-1].startswith("Close match")


def test_a_hit_is_measured_against_the_best_and_the_mean_of_its_rivals() -> None:
    found = features("cancel my order", (CANCEL, *OTHERS))
    assert (found["dense"], found["agreement"]) == (0.8, 0.75)
    # Its score by meaning is 0.775, the rivals' are 0.475 and 0.275, and two are missing.
    assert found["margin"] == pytest.approx(0.3)
    assert found["background"] == pytest.approx((0.475 + 0.275 + 0.3 + 0.3) / 4)


def test_the_probability_is_the_logistic_function_of_what_was_found() -> None:
    probability, evidence = assess("My order is cancelled", (CANCEL, *OTHERS))
    logit = INTERCEPT + sum(COEFFICIENTS[name] * value for name, value in evidence.features.items())
    assert math.log(probability / (1 - probability)) == pytest.approx(logit)


def test_coverage_is_the_share_of_the_question_s_terms_that_the_entry_has() -> None:
    other = hit("Do you sell a wooden giraffe?", 0.3)
    found = features("Can I cancel my wooden giraffe order, giraffe?", (CANCEL, hit("Wooden toys", 0.4), other))
    assert (found["coverage"], found["elsewhere"]) == (0.5, 0.5)
    found = features("cancel my wooden giraffe order", (CANCEL, hit("Wooden toys", 0.4)))
    assert (found["coverage"], found["elsewhere"]) == (0.5, 0.25)


def test_a_question_without_terms_covers_nothing() -> None:
    found = features("how do I?", (CANCEL, *OTHERS))
    assert (found["coverage"], found["elsewhere"]) == (0, 0)


def test_only_the_beginning_of_a_long_passage_is_read() -> None:
    filler = "x " * (MAX_READ_LENGTH // 2)
    late = hit("Toys", kind=ChunkKind.PASSAGE, text=f"{filler} giraffe")
    early = hit("Toys", kind=ChunkKind.PASSAGE, text=f"giraffe {filler}")
    assert [features("giraffe", (one,))["coverage"] for one in (late, early)] == [0, 1]
    assert [features("giraffe", (one,))["passage"] for one in (late, CANCEL)] == [1, 0]


@pytest.mark.parametrize(("dense", "close", "loose"), [(0.8, 1, 0), (0.799, 0, 0), (0.5, 0, 0), (0.499, 0, 1)])
def test_how_near_a_hit_is_has_three_levels(dense: float, close: int, loose: int) -> None:
    said = reasons("cancel", hit("How do I cancel my order?", dense), *OTHERS)
    assert (said.count("Close match"), said.count("loosely related")) == (close, loose)


def test_five_unknown_words_are_named_and_no_more() -> None:
    said = reasons("cancel one2 two2 one2 three2 four2 five2 six2", CANCEL, *OTHERS)
    assert "Words not in the entry: one2, two2, three2, four2, five2\n" in f"{said}\n"


def test_a_phrasing_is_quoted_by_the_beginning_of_its_first_line() -> None:
    near = CANCEL.model_copy(update={"matched": f"{'m' * 130}\nsecond"})
    assert f"“{'m' * 120}”" in reasons("cancel", near)


def test_an_entry_in_which_everything_is_known_has_no_list_of_words() -> None:
    assert "Words not in" not in reasons("How do I cancel orders?", CANCEL, *OTHERS)
