"""Authentication on the web: a conversation is opened by its own token, its registered customer or a member."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from storage.accounts.customers import Customers
from storage.accounts.tokens import Tokens
from storage.conversations.customer_view import ConversationRef, CustomerView
from storage.errors import NotAllowedError, NotFoundError, NotLoggedInError
from storage.records import Customer, Member

_bearer = HTTPBearer(auto_error=False, description="A conversation's customer_token, a customer's or a member's login.")


def _token(credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> str | None:
    return credentials.credentials if credentials else None


CustomerBearer = Annotated[str | None, Depends(_token)]


@dataclass(frozen=True, slots=True)
class WebPrincipal:
    """Somebody who has been let into a conversation."""

    ref: ConversationRef
    member: Member | None
    """None: the customer."""


class WebAccess:
    """Checks tokens; signatures first, so that a customer's costs no look at the rows beyond the conversation's."""

    def __init__(self, tokens: Tokens, customers: Customers, customer_view: CustomerView) -> None:
        self._tokens = tokens
        self._customers = customers
        self._customer_view = customer_view

    async def enter(self, conversation_id: str, token: str | None) -> WebPrincipal:
        """Let the bearer in.

        Raises NotLoggedInError without a valid token, and NotFoundError alike for a conversation that is not
        there and one that this token does not open.
        """
        token = _required(token)
        match self._tokens.kind(token):
            case "conversation":
                opens = self._tokens.conversation(token) == conversation_id
                principal = WebPrincipal(await self._customer_view.ref(conversation_id), None) if opens else None
            case "customer":
                principal = await self._enter_customer(conversation_id, token)
            case _:
                principal = await self._enter_member(conversation_id, token)
        if principal is None:
            raise NotFoundError("There is no such conversation.")
        return principal

    async def is_still_valid(self, principal: WebPrincipal, token: str | None) -> bool:
        """Whether a member's login has not ended meanwhile; a customer's token lasts as long as it says."""
        if principal.member is None or token is None:
            return principal.member is None
        try:
            return any(member.id == principal.member.id for member in await self._tokens.members(token))
        except NotLoggedInError:
            return False

    async def enter_as_customer(self, conversation_id: str, token: str | None) -> ConversationRef:
        """Let the customer in for what only customers do. Raises NotAllowedError for members too."""
        principal = await self.enter(conversation_id, token)
        if principal.member is not None:
            raise NotAllowedError("Only the customer may do that.")
        return principal.ref

    async def registered_customer(self, workspace_id: str, token: str | None) -> Customer | None:
        """The registered customer who starts a conversation here; None: somebody anonymous."""
        if token is None or self._tokens.kind(token) != "customer":
            return None
        home, customer_id = self._tokens.customer(token)
        if home != workspace_id:
            raise NotAllowedError("This login belongs to another workspace.")
        return await self._customers.read(workspace_id, customer_id)

    async def _enter_customer(self, conversation_id: str, token: str) -> WebPrincipal | None:
        ref = await self._customer_view.ref(conversation_id)
        mine = self._tokens.customer(token) == (ref.workspace_id, ref.customer_id)
        return WebPrincipal(ref, None) if mine else None

    async def _enter_member(self, conversation_id: str, token: str) -> WebPrincipal | None:
        choices = await self._tokens.members(token)
        ref = await self._customer_view.ref(conversation_id)
        here = [member for member in choices if member.workspace_id == ref.workspace_id]
        return WebPrincipal(ref, here[0]) if here else None


def _required(token: str | None) -> str:
    if not token:
        raise NotLoggedInError("Send the conversation's customer_token, or a login's token, as the bearer.")
    return token
