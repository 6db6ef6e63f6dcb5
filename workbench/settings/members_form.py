"""The members on the Settings tab: added, given another role or password, removed."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from storage.errors import InvalidError
from storage.records import Member, Role
from workbench.auth.sessions import Sessions
from workbench.context import WorkbenchContext
from workbench.ui.handlers import PRIVATE_EVENT, error_boundary
from workbench.ui.html import chip, esc, table

ROLE_CHOICES = [("Agent: decides reviews", "agent"), ("Admin: also sets up", "admin")]


class MembersForm:
    """The list of members, what an admin changes about them, and the events."""

    def __init__(self, context: WorkbenchContext, sessions: Sessions) -> None:
        self._context = context
        self._sessions = sessions
        gr.HTML('<p class="dh-section">Members</p>', apply_default_css=False)
        self._listing = gr.HTML(apply_default_css=False, elem_id="dh-members")
        with gr.Accordion("Change a role, or remove a member", open=False):
            self._picker = gr.Dropdown([], label="Member", elem_id="dh-member")
            role = gr.Radio(ROLE_CHOICES, value="agent", label="Role from now on", elem_id="dh-member-role")
            with gr.Row():
                change = gr.Button("Change role")
                remove = gr.Button("Remove member …")
            change.click(self._change_role, [self._picker, role], self.outputs, **PRIVATE_EVENT)
            self._build_removal(remove)
        self._build_addition()

    @property
    def outputs(self) -> list[Any]:
        """What `refreshed` fills."""
        return [self._listing, self._picker]

    async def refreshed(self, workspace_id: str) -> tuple[str, gr.Dropdown]:
        """The list and the picker with the workspace's members."""
        members = await self._context.store.accounts.members.all(workspace_id)
        choices = [(f"{member.name} · {member.email} · {member.role}", member.id) for member in members]
        return members_html(members), gr.Dropdown(choices=choices, value=None)

    def _build_addition(self) -> None:
        with gr.Accordion("Add a member, or set a new password", open=False):
            email = gr.Textbox(label="E-mail", max_length=320)
            name = gr.Textbox(label="Name", max_length=200)
            role = gr.Radio(ROLE_CHOICES, value="agent", label="Role")
            password = gr.Textbox(label="Password, 10 characters or more", type="password", max_length=200)
            with gr.Row():
                add = gr.Button("Add member", variant="primary")
                reset = gr.Button("Set this password")
        add.click(self._add, [email, name, role, password], [password, *self.outputs], **PRIVATE_EVENT)
        reset.click(self._reset_password, [email, password], password, **PRIVATE_EVENT)

    def _build_removal(self, remove: gr.Button) -> None:
        with gr.Column(visible=False) as confirmation:
            question = gr.HTML(apply_default_css=False, elem_id="dh-removal")
            with gr.Row():
                confirm = gr.Button("Remove for good", variant="stop")
                cancel = gr.Button("Keep them")
        # Whom the question names, whatever is picked meanwhile.
        leaving_id = gr.State("")
        remove.click(self._ask_removal, self._picker, [leaving_id, question, confirmation], **PRIVATE_EVENT)
        cancel.click(lambda: gr.Column(visible=False), None, confirmation, **PRIVATE_EVENT)
        confirm.click(self._remove, leaving_id, [confirmation, *self.outputs], **PRIVATE_EVENT)

    @error_boundary
    async def _add(self, email: str, name: str, role: str, password: str, request: gr.Request) -> tuple[Any, ...]:
        admin = await self._sessions.admin(request)
        added = await self._context.store.accounts.members.add(
            admin.workspace_id, email, name, _parse_role(role), password
        )
        gr.Info(esc(f"{added.name} can log in now."))
        return "", *await self.refreshed(admin.workspace_id)

    @error_boundary
    async def _reset_password(self, email: str, password: str, request: gr.Request) -> str:
        admin = await self._sessions.admin(request)
        await self._context.store.accounts.accounts.reset_password(admin.workspace_id, email, password)
        gr.Info("The password is set; logins with the old one have ended.")
        return ""

    @error_boundary
    async def _change_role(self, member_id: str | None, role: str, request: gr.Request) -> tuple[str, Any]:
        admin = await self._sessions.admin(request)
        membership = self._context.store.accounts.membership
        changed = await membership.change_role(admin, _picked(member_id), _parse_role(role))
        gr.Info(esc(f"{changed.name} is {changed.role} from now on."))
        return await self.refreshed(admin.workspace_id)

    @error_boundary
    async def _ask_removal(self, member_id: str | None, request: gr.Request) -> tuple[str, str, Any]:
        admin = await self._sessions.admin(request)
        picked = _picked(member_id)
        members = await self._context.store.accounts.members.all(admin.workspace_id)
        name = esc(next((member.name for member in members if member.id == picked), "this member"))
        words = (
            f"Remove {name}? Their logins end at once. What they wrote and decided stays, with their name; the "
            "conversations that they have wait for anybody."
        )
        return picked, f'<p class="dh-asking">{words}</p>', gr.Column(visible=True)

    @error_boundary
    async def _remove(self, member_id: str | None, request: gr.Request) -> tuple[Any, ...]:
        admin = await self._sessions.admin(request)
        released = await self._context.desk.remove_member(admin, _picked(member_id))
        gr.Info(_removal_text(released))
        return gr.Column(visible=False), *await self.refreshed(admin.workspace_id)


def members_html(members: Sequence[Member]) -> str:
    """Who has a login."""
    rows = [
        (esc(member.name), esc(member.email), chip(str(member.role), "accent" if member.role is Role.ADMIN else ""))
        for member in members
    ]
    return table(("Name", "E-mail", "Role"), rows)


def _removal_text(released: int) -> str:
    match released:
        case 0:
            return "Removed. They had no conversation."
        case 1:
            return "Removed. The conversation that they had waits for anybody now."
        case _:
            return f"Removed. The {released} conversations that they had wait for anybody now."


def _picked(member_id: str | None) -> str:
    if not member_id:
        raise InvalidError("Choose a member first.")
    return member_id


def _parse_role(role: str) -> Role:
    if role not in set(Role):
        raise InvalidError("There is no such role.")
    return Role(role)
