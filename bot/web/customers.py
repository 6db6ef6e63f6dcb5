"""Customers with a login on the web, and what a workspace shows to everybody."""

from fastapi import APIRouter, Request, status

from bot.web.limits import client_address
from bot.web.schemas import (
    ChatCustomerItem,
    CustomerLoginBody,
    CustomerLoginItem,
    CustomerRegistrationBody,
    SuggestionsItem,
)
from storage.accounts.login_limits import LoginLimits
from storage.records import Chunk, ChunkKind, Customer, DocumentStatus
from storage.store import Store

SUGGESTIONS = 3


class CustomerRoutes:
    """The public routes under `/workspaces/{id}`."""

    def __init__(self, store: Store, limits: LoginLimits) -> None:
        self._store = store
        self._limits = limits

    def router(self) -> APIRouter:
        """The routes, relative to `/api/v1`."""
        router = APIRouter(prefix="/workspaces/{workspace_id}", tags=["customers"])
        router.post("/customers/register", status_code=status.HTTP_201_CREATED)(self.register)
        router.post("/customers/login")(self.log_in)
        router.get("/suggestions")(self.suggestions)
        return router

    async def register(self, workspace_id: str, body: CustomerRegistrationBody, request: Request) -> CustomerLoginItem:
        """A login for a customer, whose conversations are then theirs on every device."""
        self._limits.admit_registration(client_address(request))
        await self._store.accounts.workspaces.read(workspace_id)
        customer = await self._store.accounts.customers.register(workspace_id, body.email, body.name, body.password)
        return self._logged_in(customer)

    async def log_in(self, workspace_id: str, body: CustomerLoginBody, request: Request) -> CustomerLoginItem:
        """A customer's bearer."""
        address = client_address(request)
        self._limits.admit(address, body.email)
        customer = await self._store.accounts.customers.log_in(workspace_id, body.email, body.password)
        self._limits.succeeded(address, body.email)
        return self._logged_in(customer)

    async def suggestions(self, workspace_id: str) -> SuggestionsItem:
        """A few questions that this desk can answer, to begin with."""
        workspace = await self._store.accounts.workspaces.read(workspace_id)
        titles = [chunk.title for chunk in await self._faq(workspace_id)]
        return SuggestionsItem(workspace=workspace.id, name=workspace.name, items=_evenly_spaced(titles, SUGGESTIONS))

    async def _faq(self, workspace_id: str) -> list[Chunk]:
        """The FAQ entries of the first document that has some."""
        for document in reversed(await self._store.knowledge.catalogue.list(workspace_id)):
            if document.status is not DocumentStatus.READY:
                continue
            chunks = await self._store.knowledge.catalogue.chunks(workspace_id, document.id)
            if entries := [chunk for chunk in chunks if chunk.kind is ChunkKind.FAQ]:
                return entries
        return []

    def _logged_in(self, customer: Customer) -> CustomerLoginItem:
        return CustomerLoginItem(
            access_token=self._store.accounts.tokens.for_customer(customer),
            customer=ChatCustomerItem(name=customer.name, email=customer.email),
        )


def _evenly_spaced(titles: list[str], count: int) -> list[str]:
    """Some titles from all over the list, so that they show different topics."""
    step = max(1, len(titles) // count)
    return titles[::step][:count]
