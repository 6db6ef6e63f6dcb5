"""Labels: figures in the words and tones that every tab uses for them."""

from storage.records import Draft

NO_VALUE = "-"
"""Where there is no figure yet."""
CONFIDENCE_LEVELS = (
    (0.9, "Very likely right", "ok"),
    (0.75, "Likely right", "ok"),
    (0.5, "May be right: check it", "warn"),
    (0.0, "Probably not right", "danger"),
)


def confidence_label(draft: Draft) -> tuple[str, str]:
    """(words, tone) for a draft's confidence."""
    if not draft.can_answer:
        return "No answer found", "danger"
    return next((words, tone) for least, words, tone in CONFIDENCE_LEVELS if draft.confidence >= least)


def duration_text(seconds: float | None) -> str:
    """A span of time as people say it."""
    if seconds is None:
        return NO_VALUE
    if seconds < 10:  # noqa: PLR2004 - below this, tenths matter
        return f"{seconds:.1f} s"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f}".removesuffix(".0") + f" {unit}"
    return f"{seconds:.0f} s"
