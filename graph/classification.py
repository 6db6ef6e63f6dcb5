"""Text classification: what the graph asks of a classifier, whatever it is built on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class TextScores:
    """What a text is like; each score is about 1 for "just like these examples" and about 0 for "not at all"."""

    intents: Mapping[str, float]
    wants_human: float
    high_urgency: float
    """Like what cannot wait."""
    low_urgency: float
    """Like what can wait."""
    injection: float
    """Like orders to the assistant."""


class TextClassifier(Protocol):
    """Blocking and thread-safe: call it from a thread."""

    def scores(self, text: str) -> TextScores:
        """What the text is like. Raises UnavailableError when the embedder does."""
        ...

    def is_cached(self, text: str) -> bool:
        """Whether `scores` answers at once."""
        ...
