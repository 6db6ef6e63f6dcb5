"""The web channel: customers write and read over REST and on the chat page."""

from fastapi import APIRouter

from bot.intake import Intake
from bot.web.auth import WebAccess
from bot.web.conversations import ConversationRoutes
from bot.web.customers import CustomerRoutes
from bot.web.limits import WebLimits
from bot.web.page import ChatPage
from graph.desk import Desk
from storage.cluster.events import EventBus
from storage.conversations.customer_view import CustomerView
from storage.conversations.outbox import Outgoing
from storage.records import ChannelName, Conversation
from storage.settings import Settings
from storage.store import Store


class WebChannel:
    """Customers on the web read the rows: a reply is with them as soon as it is committed, once and in order."""

    def __init__(self, signals: EventBus) -> None:
        self._signals = signals

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
        self._signals.publish(outgoing.conversation_id)
        return outgoing.message.id

    async def working(self, conversation: Conversation, *, on: bool) -> None:
        """Nothing to do: the page sees from the rows that a turn is on its way."""


def web_routes(store: Store, intake: Intake, desk: Desk, settings: Settings) -> APIRouter:
    """The customers' REST interface under `/api/v1`, and the page `/chat`.

    Errors are raised as DeskhandError; the site translates them to problem documents.
    """
    access = WebAccess(store.accounts.members, CustomerView(store.database))
    limits = WebLimits(settings.web)
    router = APIRouter()
    router.include_router(ConversationRoutes(store, intake, desk, access, limits).router(), prefix="/api/v1")
    router.include_router(CustomerRoutes(store, limits).router(), prefix="/api/v1")
    router.include_router(ChatPage(store.accounts.workspaces, settings).router())
    return router
