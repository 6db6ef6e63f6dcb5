"""Language identification: an n-gram model over the languages that customers write."""

import re
from functools import cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier  # type: ignore[import-untyped]

# The model knows many small languages that short English texts are easily taken for.
LANGUAGES = re.compile(
    r"ar|bg|bn|ca|cs|da|de|el|en|es|et|fa|fi|fr|he|hi|hr|hu|id|it|ja|ko|lt|lv|ms|nl|no"
    r"|pl|pt|ro|ru|sk|sl|sr|sv|sw|ta|te|th|tl|tr|uk|ur|vi|zh"
)
MIN_PROBABILITY = 0.55
"""Probability from which a text's own language counts."""
MIN_LENGTH = 12
"""Characters; shorter Latin texts ("hi", "refund me") say little about their language."""


def detect_language(text: str, fallback: str = "en") -> str:
    """ISO 639-1 code; `fallback` when the text is too short or could be several. Blocking at its first use (2 s)."""
    if len(text) < MIN_LENGTH and text.isascii():
        return fallback
    language, probability = language_identifier().classify(text)
    return str(language) if probability >= MIN_PROBABILITY else fallback


@cache
def language_identifier() -> LanguageIdentifier:
    """The model, loaded at the first use."""
    loaded = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    loaded.set_languages([label for label in loaded.labels if LANGUAGES.fullmatch(label)])
    return loaded
