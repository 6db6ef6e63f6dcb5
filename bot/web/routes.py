"""Opening the web channel: its REST interface and the chat page as one router."""

from fastapi import APIRouter

from bot.intake import Intake
from bot.web.auth import WebAccess
from bot.web.conversations import ConversationRoutes
from bot.web.customers import CustomerRoutes
from bot.web.limits import WebLimits
from bot.web.page import ChatPage
from graph.desk import Desk
from storage.settings import Settings
from storage.store import Store


def web_routes(store: Store, intake: Intake, desk: Desk, settings: Settings) -> APIRouter:
    """The customers' REST interface under `/api/v1`, and the page `/chat`.

    Errors are raised as DeskhandError; the site translates them to problem documents.
    """
    access = WebAccess(store.accounts.tokens, store.accounts.customers, store.conversations.customer_view)
    limits = WebLimits(settings.web)
    router = APIRouter()
    router.include_router(ConversationRoutes(store, intake, desk, access, limits).router(), prefix="/api/v1")
    router.include_router(CustomerRoutes(store).router(), prefix="/api/v1")
    router.include_router(ChatPage(store.accounts, settings).router())
    return router
