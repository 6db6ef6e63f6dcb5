"""Channel protocol: what every adapter must be able to do; adapters know nothing of the AI."""

from typing import Protocol

from storage.conversations.outbox import Outgoing
from storage.records import ChannelName, Conversation


class Channel(Protocol):
    """Where customers are. Exactly-once delivery is part of the contract.

    `send` is called again with the same `delivery_id` after a crash or a lost answer. A channel that is not
    `idempotent` by itself must find an earlier send of that id when `outgoing.attempts` is above 0, and must raise
    when it cannot look: it never sends again on a guess. Deliveries of a conversation come one after the other, from
    one worker at a time.
    """

    @property
    def name(self) -> ChannelName:
        """The channel's name in the rows."""

    @property
    def idempotent(self) -> bool:
        """Whether sending the same delivery twice shows the customer one message, whatever happened."""

    async def send(self, outgoing: Outgoing) -> str | None:
        """Show the customer a reply; gives the platform's id of it. Raises ChannelError."""

    async def show_typing(self, conversation: Conversation, *, on: bool) -> None:
        """Show the customer that the desk is at work, or stop showing it; a sign that fails is no failure.

        Called again every few seconds while the work lasts, for platforms whose sign fades.
        """
