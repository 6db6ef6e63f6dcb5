"""Error catalogue: what can go wrong between the desk and a chat platform.

What a person may not do, or asked for in the wrong place, is a `DeskhandError`, whose words they are shown.
"""


class BotError(Exception):
    """Something went wrong between the desk and a platform."""


class ChannelError(BotError):
    """The channel did not take a reply; `permanent` means that trying again is of no use."""

    def __init__(
        self, reason: str, *, permanent: bool = False, retry_after: float | None = None, settles_after: float = 0.0
    ) -> None:
        self.reason = reason
        self.permanent = permanent
        self.retry_after = retry_after
        """Seconds that the platform asks to wait."""
        self.settles_after = settles_after
        """Seconds in which the platform may still show the reply though it did not answer in time: a look before
        that would miss it."""
        super().__init__(reason)


class UncertainError(ChannelError):
    """No answer came: the platform may have done it or not."""
