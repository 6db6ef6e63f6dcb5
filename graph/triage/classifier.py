"""How much a text is like labelled examples: one embedding of the text answers every question about it."""

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from graph.triage.examples import Examples
from storage.embeddings.file_cache import cached_vectors
from storage.embeddings.protocol import Embedder

RIDGE = 0.3
"""How much a single example may be wrong; with NEAR the best of seven pairs on the open sets of the guard's bench."""
NEAR = 1.8
"""The kernel falls by e to this power from a text to one that is as unlike it as two examples usually are."""
REMEMBERED = 256
"""Texts whose scores are kept: the guard and the triage of one turn ask about the same text."""

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Scores:
    """What a text is like; each value is about 1 for "just like these examples" and about 0 for "not at all"."""

    intents: Mapping[str, float]
    wants_human: float
    urgency: float
    """Like what cannot wait."""
    leisure: float
    """Like what can wait."""
    injection: float
    """Like orders to the assistant."""


@dataclass(frozen=True, slots=True)
class _Fitted:
    examples: Vectors
    sharpness: float
    weights: NDArray[np.float64]
    """(examples, columns)."""
    columns: tuple[str, ...]


class Classifier:
    """Kernel ridge regression on the embeddings of the examples.

    The examples are embedded and fitted at the first use, with whatever embedding model the desk runs: no
    coefficients are shipped, so none can be wrong for the model. Blocking and thread-safe: call it from a thread.
    """

    def __init__(self, embedder: Embedder, examples: Examples, folder: Path | None = None) -> None:
        """`folder`: where the examples' vectors are kept for the next start; None: nowhere."""
        self._embedder, self._examples, self._folder = embedder, examples, folder
        self._fitted: _Fitted | None = None
        self._remembered: OrderedDict[str, Scores] = OrderedDict()
        self._lock = threading.Lock()

    def scores(self, text: str) -> Scores:
        """What the text is like. Raises UnavailableError when the embedder does."""
        with self._lock:
            if text in self._remembered:
                self._remembered.move_to_end(text)
                return self._remembered[text]
        scores = self._score(text)
        with self._lock:
            self._remembered[text] = scores
            if len(self._remembered) > REMEMBERED:
                self._remembered.popitem(last=False)
        return scores

    def knows(self, text: str) -> bool:
        """Whether `scores` answers at once."""
        with self._lock:
            return text in self._remembered

    def warm(self) -> None:
        """Embed the examples now, so that the first customer does not wait for it."""
        with self._lock:
            if self._fitted is None:
                self._fitted = _fit(self._embedder, self._examples, self._folder)

    def _score(self, text: str) -> Scores:
        self.warm()
        fitted = self._fitted
        assert fitted is not None  # noqa: S101 - warm() has just set it
        vector = self._embedder.embed([text])[0]
        kernel = np.exp(fitted.sharpness * (fitted.examples @ vector - 1))
        values = dict(zip(fitted.columns, (kernel @ fitted.weights).tolist(), strict=True))
        return Scores(
            intents={
                name.removeprefix("intent "): value for name, value in values.items() if name.startswith("intent ")
            },
            wants_human=values["wants_human"],
            urgency=values["urgency"],
            leisure=values["leisure"],
            injection=values["injection"],
        )


def _fit(embedder: Embedder, examples: Examples, folder: Path | None) -> _Fitted:
    """Every column is a yes-or-no question; the sentences of the other files answer "no" to it."""
    sentences = list(dict.fromkeys(s for group in _groups(examples) for label in group.values() for s in label))
    vectors = embedder.embed(sentences) if folder is None else cached_vectors(embedder, sentences, folder)
    likeness = vectors @ vectors.T
    sharpness = NEAR / max(1e-6, 1 - float(np.median(likeness)))
    kernel = np.exp(sharpness * (likeness.astype(np.float64) - 1))
    questions = _questions(examples)
    columns = [_solve(kernel, sentences, yes, no) for yes, no in questions.values()]
    return _Fitted(vectors, sharpness, np.stack(columns, axis=1), tuple(questions))


def _groups(examples: Examples) -> tuple[Mapping[str, tuple[str, ...]], ...]:
    return examples.intents, examples.handoff, examples.urgency, examples.injections


def _questions(examples: Examples) -> dict[str, tuple[Sequence[str], Sequence[str]]]:
    """Column name to the sentences that answer yes and no."""
    intents = [s for sentences in examples.intents.values() for s in sentences]
    handoff = [s for sentences in examples.handoff.values() for s in sentences]
    urgency = [s for sentences in examples.urgency.values() for s in sentences]
    calm = [*examples.urgency["ordinary"], *examples.urgency["low"]]
    questions: dict[str, tuple[Sequence[str], Sequence[str]]] = {
        f"intent {label}": (
            sentences,
            [s for other in examples.intents if other != label for s in examples.intents[other]],
        )
        for label, sentences in examples.intents.items()
    }
    questions["wants_human"] = examples.handoff["wants"], [*examples.handoff["does_not"], *intents, *calm]
    questions["urgency"] = examples.urgency["high"], [*calm, *intents, *handoff]
    questions["leisure"] = examples.urgency["low"], [*examples.urgency["ordinary"], *examples.urgency["high"], *intents]
    questions["injection"] = (
        examples.injections["attack"],
        [*examples.injections["ordinary"], *intents, *handoff, *urgency],
    )
    return questions


def _solve(
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
