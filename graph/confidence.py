"""How sure we are that the best hit answers the question: evidence to a calibrated probability."""

from collections.abc import Sequence

from storage.records import Evidence, Hit


def assess(query: str, hits: Sequence[Hit]) -> tuple[float, Evidence]:
    """The calibrated probability, 0 to 1, that the first hit is right, and what it rests on; no hits give 0."""
    raise NotImplementedError
