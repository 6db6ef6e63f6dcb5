"""Who wrote a draft, when it was no chat model: the names in `Draft.model`."""

GUARD = "guard"
"""A fixed reply to a message that has no text or is too long."""
SMALL_TALK = "small talk"
"""A fixed reply to a greeting or thanks."""
VERBATIM = "verbatim"
"""The knowledge's own words."""
NOT_GENERATED = frozenset({GUARD, SMALL_TALK, VERBATIM})
