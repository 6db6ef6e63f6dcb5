"""Members: to whom a conversation can be assigned."""

from fastapi import APIRouter

from storage.statuses import Role
from workbench.api.front import AtOffice, CurrentMember
from workbench.api.shapes import Item, Items

router = APIRouter(prefix="/members", tags=["members"])


class MemberItem(Item):
    """A person with a login in this workspace."""

    id: str
    name: str
    email: str
    role: Role


@router.get("")
async def members(office: AtOffice, member: CurrentMember) -> Items[MemberItem]:
    """The workspace's members by name."""
    found = await office.store.members.all(member.workspace_id)
    return Items(
        items=[MemberItem(id=item.id, name=item.name, email=item.email, role=item.role) for item in found],
    )
