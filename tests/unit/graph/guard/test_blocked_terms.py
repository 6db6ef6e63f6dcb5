"""A blocked term is found whatever its case and form, and only as a whole."""

from graph.guard.blocked_terms import find_blocked_term


def test_a_blocked_term_is_a_whole_word() -> None:
    assert not find_blocked_term("the classic assassin", ["ass", " "])
    assert find_blocked_term("Straße!", ["STRASSE"])
    assert find_blocked_term("c++ rocks", ["C++"])


def test_the_first_term_of_the_list_is_named() -> None:
    assert find_blocked_term("wire fraud and embargo", ["embargo", "fraud"]) == "embargo"


def test_the_words_of_a_term_may_be_any_space_apart() -> None:
    assert find_blocked_term("WIRE \n fraud", ["wire  fraud"]) == "wire  fraud"
    assert find_blocked_term("wirefraud", ["wire fraud"]) == ""


def test_signs_in_a_term_are_no_pattern() -> None:
    assert find_blocked_term("anything", [".*", "(", ""]) == ""
