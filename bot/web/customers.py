"""Customers with a login on the web, and what a workspace shows to everybody."""

from fastapi import APIRouter, Request, Response, status

from bot.web.limits import client_address
from bot.web.schemas import (
    ChatCustomerItem,
    CustomerLoginBody,
    CustomerLoginItem,
    CustomerRegistrationBody,
    SuggestionsItem,
)
from storage.accounts.devices import DEVICE_COOKIE, DEVICE_LASTS
from storage.records import Chunk, ChunkKind, Customer, DocumentStatus
from storage.store import Store

SUGGESTIONS = 3
NO_STORE = {"Cache-Control": "no-store"}
"""A token belongs in no cache."""


class CustomerRoutes:
    """The public routes under `/workspaces/{id}`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._limits = store.accounts.customer_logins

    def router(self) -> APIRouter:
        """The routes, relative to `/api/v1`."""
        router = APIRouter(prefix="/workspaces/{workspace_id}", tags=["customers"])
        router.post("/customers/register", status_code=status.HTTP_201_CREATED)(self.register)
        router.post("/customers/login")(self.log_in)
        router.get("/suggestions")(self.suggestions)
        return router

    async def register(
        self, workspace_id: str, body: CustomerRegistrationBody, request: Request, response: Response
    ) -> CustomerLoginItem:
        """A login for a customer, whose conversations are then theirs on every device."""
        response.headers.update(NO_STORE)
        await self._limits.admit_registration(client_address(request))
        await self._store.accounts.workspaces.read(workspace_id)
        customer = await self._store.accounts.customers.register(workspace_id, body.email, body.name, body.password)
        return self._logged_in(customer)

    async def log_in(
        self, workspace_id: str, body: CustomerLoginBody, request: Request, response: Response
    ) -> CustomerLoginItem:
        """A customer's bearer."""
        response.headers.update(NO_STORE)
        address, device = client_address(request), request.cookies.get(DEVICE_COOKIE, "")
        await self._limits.admit(address, body.email, device)
        customer = await self._store.accounts.customers.log_in(workspace_id, body.email, body.password)
        device = await self._limits.succeeded(address, body.email, device)
        path, secure = request.scope.get("root_path") or "/", request.url.scheme == "https"
        lasts = int(DEVICE_LASTS.total_seconds())
        response.set_cookie(DEVICE_COOKIE, device, lasts, path=path, secure=secure, httponly=True, samesite="lax")
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
