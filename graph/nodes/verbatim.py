"""The draft without a chat model: the knowledge's own words."""

from collections.abc import Sequence

from storage.records import Draft, Hit


def verbatim_draft(question: str, hits: Sequence[Hit]) -> Draft:
    """The best hit's answer word for word, cited; `can_answer` is false when nothing fits well enough.

    The confidence is left 0: the check node sets it by `graph.confidence.assess`.
    """
    raise NotImplementedError
