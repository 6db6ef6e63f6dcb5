"""REST: members. To whom a conversation can be assigned, and what an admin changes about them."""

from fastapi import APIRouter

from storage.records import Member, Role
from workbench.api.dependencies import Context, CurrentAdmin, CurrentMember
from workbench.api.schemas import (
    Body,
    Id,
    Item,
    Items,
)

router = APIRouter(prefix="/members", tags=["members"])


class MemberItem(Item):
    """A person with a login in this workspace."""

    id: str
    name: str
    email: str
    role: Role


class RoleBody(Body):
    """What a member may do from now on."""

    role: Role


@router.get("")
async def list_members(context: Context, member: CurrentMember) -> Items[MemberItem]:
    """The workspace's members by name."""
    found = await context.store.accounts.members.all(member.workspace_id)
    return Items(items=[_item(one) for one in found])


@router.patch("/{member_id}")
async def change_role(context: Context, admin: CurrentAdmin, member_id: Id, change: RoleBody) -> MemberItem:
    """Make another member an agent or an admin, from their next request on."""
    return _item(await context.store.accounts.membership.change_role(admin, member_id, change.role))


@router.delete("/{member_id}", status_code=204)
async def remove_member(context: Context, admin: CurrentAdmin, member_id: Id) -> None:
    """End another member's logins; what they wrote stays, and their conversations wait for anybody."""
    await context.desk.remove_member(admin, member_id)


def _item(member: Member) -> MemberItem:
    return MemberItem(id=member.id, name=member.name, email=member.email, role=member.role)
