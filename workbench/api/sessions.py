"""REST: one's own logins. Logging out here and everywhere, and changing the password."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from storage.accounts.tokens import Principal
from workbench.api.auth import MemberLoginItem, NewPassword, logged_in, no_store
from workbench.api.dependencies import Context, MemberBearer
from workbench.api.schemas import Body, Id, Item, Items
from workbench.auth.sessions import device_of

router = APIRouter(prefix="/auth", tags=["auth"], dependencies=[Depends(no_store)])


class SessionItem(Item):
    """An open login of this account."""

    id: str
    created_at: datetime
    last_seen_at: datetime
    """Within five minutes."""
    expires_at: datetime
    user_agent: str
    address: str
    is_current: bool
    """Whether it is the one that asks."""


class PasswordBody(Body):
    """A new password of one's own."""

    current_password: Annotated[str, Field(max_length=1000)]
    new_password: NewPassword


async def _principal(context: Context, token: MemberBearer) -> Principal:
    """Also while a new password must be set: who can do nothing else can still log out."""
    return await context.store.accounts.tokens.principal(token)


CurrentPrincipal = Annotated[Principal, Depends(_principal)]


@router.post("/logout", status_code=204)
async def log_out(context: Context, principal: CurrentPrincipal) -> None:
    """End this login, in every process at once."""
    await context.store.accounts.sessions.end(principal.account_id, principal.session_id)


@router.get("/sessions")
async def list_sessions(context: Context, principal: CurrentPrincipal) -> Items[SessionItem]:
    """This account's open logins, the latest first."""
    found = await context.store.accounts.sessions.all(principal.account_id)
    items = [
        SessionItem(
            id=each.id,
            created_at=each.created_at,
            last_seen_at=each.last_seen_at,
            expires_at=each.expires_at,
            user_agent=each.user_agent,
            address=each.address,
            is_current=each.id == principal.session_id,
        )
        for each in found
    ]
    return Items(items=items)


@router.delete("/sessions", status_code=204)
async def log_out_everywhere(context: Context, principal: CurrentPrincipal) -> None:
    """End every login of this account, this one too."""
    await context.store.accounts.sessions.end_all(principal.account_id)


@router.delete("/sessions/{session_id}", status_code=204)
async def end_session(context: Context, principal: CurrentPrincipal, session_id: Id) -> None:
    """End one login of this account."""
    await context.store.accounts.sessions.end(principal.account_id, session_id)


@router.post("/password")
async def change_password(
    request: Request, context: Context, principal: CurrentPrincipal, body: PasswordBody
) -> MemberLoginItem:
    """Change one's own password: every login ends, and a new one begins."""
    accounts, active = context.store.accounts, principal.members[0]
    await accounts.accounts.change_password(principal.account_id, body.current_password, body.new_password)
    return logged_in(active, await accounts.tokens.for_member(active, device_of(request)))
