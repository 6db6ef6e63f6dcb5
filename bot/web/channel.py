"""The web channel: customers write and read over REST and on the chat page."""

from storage.cluster.events import EventBus
from storage.conversations.outbox import Outgoing
from storage.records import ChannelName, Conversation


class WebChannel:
    """Customers on the web read the rows: a reply is with them as soon as it is committed, once and in order."""

    def __init__(self, events: EventBus) -> None:
        self._events = events

    @property
    def name(self) -> ChannelName:
        """The channel's name in the rows."""
        return "web"

    @property
    def idempotent(self) -> bool:
        """Sending again only wakes the readers again."""
        return True

    async def send(self, outgoing: Outgoing) -> str:
        """Wake who reads the conversation; the message's own id is the web's id of it."""
        self._events.publish(outgoing.conversation_id)
        return outgoing.message.id

    async def show_typing(self, conversation: Conversation, *, on: bool) -> None:
        """Nothing to do: the page sees from the rows that a turn is on its way."""
