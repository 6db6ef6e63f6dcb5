"""Names for threads that a message opens."""

from bot.discord.texts import MAX_THREAD_NAME, thread_name


def test_a_thread_is_named_by_the_first_line_with_words() -> None:
    assert thread_name("\n  \n How do I pay? \nThanks", "Ann") == "How do I pay?"


def test_a_message_without_words_is_named_by_its_author() -> None:
    assert thread_name(" \n", "Ann") == "Question from Ann"


def test_a_long_first_line_is_cut() -> None:
    assert thread_name("a" * MAX_THREAD_NAME, "Ann") == "a" * MAX_THREAD_NAME
    cut = thread_name("a" * (MAX_THREAD_NAME + 1), "Ann")
    assert len(cut) == MAX_THREAD_NAME
    assert cut.endswith("…")
