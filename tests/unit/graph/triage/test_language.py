"""The language of a text, or the fallback when it says too little."""

import pytest

from graph.triage.language import MIN_LENGTH, detect_language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("How do I reset my password?", "en"),
        ("Wie kann ich mein Passwort zurücksetzen?", "de"),
        ("Hola, no puedo entrar en mi cuenta", "es"),
        ("こんにちは、パスワードを忘れました", "ja"),
    ],
)
def test_a_sentence_is_recognised(text: str, language: str) -> None:
    assert detect_language(text) == language


def test_a_short_latin_text_says_too_little() -> None:
    assert detect_language("hallo", fallback="xx") == "xx"
    assert detect_language("a" * (MIN_LENGTH - 1), fallback="xx") == "xx"


def test_a_short_text_in_another_script_says_enough() -> None:
    assert detect_language("助けて", fallback="xx") != "xx"
