"""Optional dependencies: the chat platforms' libraries are extras of the package."""

from importlib.util import find_spec

LIBRARIES = {"slack": "slack_bolt", "discord": "discord"}
"""What an extra's code imports, by the extra's and channel's name."""


def missing_extra(channel: str) -> str:
    """What to do when the channel's library is not installed; empty: it is."""
    if find_spec(LIBRARIES[channel]) is not None:
        return ""
    return f"its library is not installed: install Deskhand with its extra `{channel}`"
