"""Kernel ridge regression on embedded examples: one embedding of a text answers every question about it."""

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from graph.classification import TextScores
from graph.triage.examples import Examples
from storage.embeddings.file_cache import cached_vectors
from storage.embeddings.protocol import Embedder, Vectors

RIDGE = 0.3
"""How much a single example may be wrong; with KERNEL_DECAY the best of seven pairs on the guard's open test sets."""
KERNEL_DECAY = 1.8
"""The kernel falls by e to this power from a text to one that is as unlike it as two examples usually are."""
CACHED_TEXTS = 256
"""Texts whose scores are kept: the guard and the triage of one turn ask about the same text."""
INTENT = "intent "
"""Begins the names of the columns that stand for intents."""


@dataclass(frozen=True, slots=True)
class _FittedModel:
    examples: Vectors
    kernel_scale: float
    weights: NDArray[np.float64]
    """(examples, columns)."""
    columns: tuple[str, ...]


class Classifier:
    """A TextClassifier that is fitted at its first use, with whatever embedding model the desk runs.

    No coefficients are shipped, so none can be wrong for the model.
    """

    def __init__(self, embedder: Embedder, examples: Examples, folder: Path | None = None) -> None:
        """`folder`: where the examples' vectors are kept for the next start; None: nowhere."""
        self._embedder, self._examples, self._folder = embedder, examples, folder
        self._model: _FittedModel | None = None
        self._cache: OrderedDict[str, TextScores] = OrderedDict()
        self._lock = threading.Lock()

    def scores(self, text: str) -> TextScores:
        """What the text is like. Raises UnavailableError when the embedder does."""
        with self._lock:
            if text in self._cache:
                self._cache.move_to_end(text)
                return self._cache[text]
        scores = self._score(text)
        with self._lock:
            self._cache[text] = scores
            if len(self._cache) > CACHED_TEXTS:
                self._cache.popitem(last=False)
        return scores

    def is_cached(self, text: str) -> bool:
        """Whether `scores` answers at once."""
        with self._lock:
            return text in self._cache

    def warm(self) -> None:
        """Embed the examples now, so that the first customer does not wait for it."""
        self._fitted()

    def _fitted(self) -> _FittedModel:
        with self._lock:
            if self._model is None:
                self._model = _fit(self._embedder, self._examples, self._folder)
            return self._model

    def _score(self, text: str) -> TextScores:
        model = self._fitted()
        vector = self._embedder.embed([text])[0]
        kernel = np.exp(model.kernel_scale * (model.examples @ vector - 1))
        values = dict(zip(model.columns, (kernel @ model.weights).tolist(), strict=True))
        return TextScores(
            intents={name.removeprefix(INTENT): value for name, value in values.items() if name.startswith(INTENT)},
            wants_human=values["wants_human"],
            high_urgency=values["high_urgency"],
            low_urgency=values["low_urgency"],
            injection=values["injection"],
        )


def _fit(embedder: Embedder, examples: Examples, folder: Path | None) -> _FittedModel:
    """Every column is a yes-or-no question; the sentences of the other files answer "no" to it."""
    sentences = list(dict.fromkeys(s for group in _groups(examples) for label in group.values() for s in label))
    vectors = embedder.embed(sentences) if folder is None else cached_vectors(embedder, sentences, folder)
    similarity = vectors @ vectors.T
    kernel_scale = KERNEL_DECAY / max(1e-6, 1 - float(np.median(similarity)))
    kernel = np.exp(kernel_scale * (similarity.astype(np.float64) - 1))
    questions = _questions(examples)
    columns = [_ridge_weights(kernel, sentences, yes, no) for yes, no in questions.values()]
    return _FittedModel(vectors, kernel_scale, np.stack(columns, axis=1), tuple(questions))


def _groups(examples: Examples) -> tuple[Mapping[str, tuple[str, ...]], ...]:
    return examples.intents, examples.handoff, examples.urgency, examples.injections


def _questions(examples: Examples) -> dict[str, tuple[Sequence[str], Sequence[str]]]:
    """Column name to the sentences that answer yes and no."""
    intents = [s for sentences in examples.intents.values() for s in sentences]
    handoff = [s for sentences in examples.handoff.values() for s in sentences]
    urgency = [s for sentences in examples.urgency.values() for s in sentences]
    high, ordinary, low = (examples.urgency[label] for label in ("high", "ordinary", "low"))
    return {
        **_intent_questions(examples.intents),
        "wants_human": (examples.handoff["wants"], [*examples.handoff["does_not"], *intents, *ordinary, *low]),
        "high_urgency": (high, [*ordinary, *low, *intents, *handoff]),
        "low_urgency": (low, [*ordinary, *high, *intents]),
        "injection": (
            examples.injections["attack"],
            [*examples.injections["ordinary"], *intents, *handoff, *urgency],
        ),
    }


def _intent_questions(intents: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[Sequence[str], Sequence[str]]]:
    return {
        f"{INTENT}{label}": (sentences, [s for other in intents if other != label for s in intents[other]])
        for label, sentences in intents.items()
    }


def _ridge_weights(
    kernel: NDArray[np.float64], sentences: list[str], yes: Sequence[str], no: Sequence[str]
) -> NDArray[np.float64]:
    """The weight of every sentence for one question; the rarer answer counts more. Sentences of neither get none."""
    index = {sentence: position for position, sentence in enumerate(sentences)}
    asked = [index[s] for s in (*yes, *dict.fromkeys(s for s in no if s not in set(yes)))]
    target = np.zeros(len(asked))
    target[: len(yes)] = 1
    trust = np.ones(len(asked))
    trust[: len(yes)] = ((len(asked) - len(yes)) / len(yes)) ** 0.5
    weights = np.zeros(len(sentences))
    weights[asked] = np.linalg.solve(kernel[np.ix_(asked, asked)] + np.diag(RIDGE / trust), target)
    return weights
