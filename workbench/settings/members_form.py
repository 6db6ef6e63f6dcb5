"""The members on the settings tab: added, given another role or password, let go."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from storage.errors import InvalidError
from storage.records import Member, Role
from workbench.auth.sessions import Sessions
from workbench.context import WorkbenchContext
from workbench.ui.handlers import PRIVATE, reporting_errors
from workbench.ui.html import chip, esc, table

ROLES = [("Agent: decides reviews", "agent"), ("Admin: also sets up", "admin")]


def members_html(members: Sequence[Member]) -> str:
    """Who has a login."""
    rows = [
        (esc(member.name), esc(member.email), chip(str(member.role), "accent" if member.role is Role.ADMIN else ""))
        for member in members
    ]
    return table(("Name", "E-mail", "Role"), rows)


async def team_shown(context: WorkbenchContext, workspace_id: str) -> tuple[str, Any]:
    """(list, picker) of the workspace's members."""
    members = await context.store.accounts.members.all(workspace_id)
    choices = [(f"{member.name} · {member.email} · {member.role}", member.id) for member in members]
    return members_html(members), gr.Dropdown(choices=choices, value=None)


def build_team(context: WorkbenchContext, sessions: Sessions) -> tuple[gr.HTML, gr.Dropdown]:
    """The components and their events; gives what `team_shown` fills."""
    gr.HTML('<p class="dh-section">Members</p>', apply_default_css=False)
    listing = gr.HTML(apply_default_css=False, elem_id="dh-members")
    with gr.Accordion("Change a role, or remove a member", open=False):
        chosen = gr.Dropdown([], label="Member", elem_id="dh-member")
        role = gr.Radio(ROLES, value="agent", label="Role from now on", elem_id="dh-member-role")
        with gr.Row():
            change = gr.Button("Change role")
            remove = gr.Button("Remove member …")
        with gr.Column(visible=False) as sure:
            question = gr.HTML(apply_default_css=False, elem_id="dh-removal")
            with gr.Row():
                confirm = gr.Button("Remove for good", variant="stop")
                cancel = gr.Button("Keep them")
    _adding(context, sessions, [listing, chosen])
    _changing(context, sessions, (change, chosen, role), [listing, chosen])
    _removing(context, sessions, (remove, confirm, cancel), (chosen, question, sure), [listing, chosen])
    return listing, chosen


def _adding(context: WorkbenchContext, sessions: Sessions, team: list[Any]) -> None:
    with gr.Accordion("Add a member, or set a new password", open=False):
        email = gr.Textbox(label="E-mail", max_length=320)
        name = gr.Textbox(label="Name", max_length=200)
        role = gr.Radio(ROLES, value="agent", label="Role")
        password = gr.Textbox(label="Password, 10 characters or more", type="password", max_length=200)
        with gr.Row():
            add = gr.Button("Add member", variant="primary")
            reset = gr.Button("Set this password")

    @reporting_errors
    async def add_member(email: str, name: str, role: str, password: str, request: gr.Request) -> tuple[Any, ...]:
        admin = await sessions.admin(request)
        added = await context.store.accounts.members.add(admin.workspace_id, email, name, _role(role), password)
        gr.Info(esc(f"{added.name} can log in now."))
        return "", *await team_shown(context, admin.workspace_id)

    @reporting_errors
    async def set_password(email: str, password: str, request: gr.Request) -> str:
        admin = await sessions.admin(request)
        await context.store.accounts.members.reset_password(admin.workspace_id, email, password)
        gr.Info("The password is set; logins with the old one have ended.")
        return ""

    add.click(add_member, [email, name, role, password], [password, *team], **PRIVATE)
    reset.click(set_password, [email, password], password, **PRIVATE)


def _changing(context: WorkbenchContext, sessions: Sessions, parts: tuple[Any, Any, Any], team: list[Any]) -> None:
    change, chosen, role = parts

    @reporting_errors
    async def change_role(member_id: str | None, role: str, request: gr.Request) -> tuple[str, Any]:
        admin = await sessions.admin(request)
        changed = await context.store.accounts.membership.change_role(admin, _picked(member_id), _role(role))
        gr.Info(esc(f"{changed.name} is {changed.role} from now on."))
        return await team_shown(context, admin.workspace_id)

    change.click(change_role, [chosen, role], team, **PRIVATE)


def _removing(
    context: WorkbenchContext,
    sessions: Sessions,
    buttons: tuple[Any, Any, Any],
    parts: tuple[Any, Any, Any],
    team: list[Any],
) -> None:
    remove, confirm, cancel = buttons
    chosen, question, sure = parts
    # Whom the question names, whatever is picked meanwhile.
    leaving_id = gr.State("")

    @reporting_errors
    async def ask(member_id: str | None, request: gr.Request) -> tuple[str, str, Any]:
        admin = await sessions.admin(request)
        picked = _picked(member_id)
        leaving = [one for one in await context.store.accounts.members.all(admin.workspace_id) if one.id == picked]
        name = esc(leaving[0].name if leaving else "this member")
        words = (
            f"Remove {name}? Their logins end at once. What they wrote and decided stays, with their name; the "
            "conversations that they have wait for anybody."
        )
        return picked, f'<p class="dh-asking">{words}</p>', gr.Column(visible=True)

    @reporting_errors
    async def let_go(member_id: str | None, request: gr.Request) -> tuple[Any, ...]:
        admin = await sessions.admin(request)
        released = await context.desk.remove_member(admin, _picked(member_id))
        gr.Info(_released_words(released))
        return gr.Column(visible=False), *await team_shown(context, admin.workspace_id)

    remove.click(ask, chosen, [leaving_id, question, sure], **PRIVATE)
    cancel.click(lambda: gr.Column(visible=False), None, sure, **PRIVATE)
    confirm.click(let_go, leaving_id, [sure, *team], **PRIVATE)


def _released_words(released: int) -> str:
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


def _role(role: str) -> Role:
    if role not in set(Role):
        raise InvalidError("There is no such role.")
    return Role(role)
