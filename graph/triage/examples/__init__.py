"""Training examples: the labelled sentences, written for this project, that texts are compared with."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

import yaml

Labelled = Mapping[str, tuple[str, ...]]
"""Label to its sentences."""


@dataclass(frozen=True, slots=True)
class Examples:
    """The sentences of every question that the classifier answers."""

    intents: Labelled
    """The intents of a new workspace, and `nothing` for thanks and the like."""
    handoff: Labelled
    """`wants` a person, `does_not`."""
    urgency: Labelled
    """`high`, `low`, `ordinary`."""
    injections: Labelled
    """`attack`, `ordinary`."""


def load_examples() -> Examples:
    """Read the sentences that are shipped with the package."""
    return Examples(
        intents=_read("intents"), handoff=_read("handoff"), urgency=_read("urgency"), injections=_read("injections")
    )


def _read(name: str) -> Labelled:
    text = resources.files(__name__).joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    return {label: tuple(sentences) for label, sentences in yaml.safe_load(text).items()}
