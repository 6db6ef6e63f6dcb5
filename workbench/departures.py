"""A member leaves: their logins end, and the others see at once what is free now."""

from storage.records import Member
from workbench.context import WorkbenchContext


async def part_with(office: WorkbenchContext, admin: Member, member_id: str) -> int:
    """Remove a member; gives how many conversations wait for anybody now.

    Raises NotAllowedError for the admin themself, NotFoundError outside the workspace.
    """
    released = await office.store.accounts.membership.remove(admin, member_id)
    office.store.cluster.events.publish(admin.workspace_id, *released)
    return len(released)
