"""The settings tab: members and canned replies, for admins."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from storage.errors import InvalidError
from storage.records import Member
from storage.statuses import Role
from storage.workspaces import CannedReply
from workbench.access import Sessions
from workbench.events import PRIVATE, telling
from workbench.markup import chip, empty, esc, table
from workbench.office import Office

TITLE = '<div class="dh-title"><h1>Settings</h1><p>Who works here, and the texts that are used often.</p></div>'


def members_html(members: Sequence[Member]) -> str:
    """Who has a login."""
    rows = [
        (esc(member.name), esc(member.email), chip(str(member.role), "accent" if member.role is Role.ADMIN else ""))
        for member in members
    ]
    return table(("Name", "E-mail", "Role"), rows)


def canned_html(replies: Sequence[CannedReply]) -> str:
    """The canned replies."""
    if not replies:
        return empty("No canned replies yet", "Save a text that you write often: agents insert it with one click.")
    return table(
        ("Title", "Text"), [(esc(reply.title), f'<div class="dh-plain">{esc(reply.text)}</div>') for reply in replies]
    )


def build_settings(tab: gr.Tab, office: Office, sessions: Sessions) -> None:
    """The components and their events; only admins get and set them."""
    with gr.Column(elem_classes="dh-page"):
        gr.HTML(TITLE, apply_default_css=False)
        with gr.Row():
            with gr.Column(min_width=340):
                people = _people(office, sessions)
            with gr.Column(min_width=340):
                texts = _texts(office, sessions)

    @telling
    async def look(request: gr.Request) -> tuple[str, str, Any]:
        member = await sessions.admin(request)
        canned = await office.store.workspaces.canned(member.workspace_id)
        everybody = members_html(await office.store.members.all(member.workspace_id))
        return everybody, canned_html(canned), _titles(canned)

    tab.select(look, None, [people, *texts], **PRIVATE)


def _people(office: Office, sessions: Sessions) -> gr.HTML:
    gr.HTML('<p class="dh-section">Members</p>', apply_default_css=False)
    listing = gr.HTML(apply_default_css=False)
    with gr.Accordion("Add a member, or set a new password", open=False):
        email = gr.Textbox(label="E-mail", max_length=320)
        name = gr.Textbox(label="Name", max_length=200)
        role = gr.Radio(
            [("Agent: decides reviews", "agent"), ("Admin: also sets up", "admin")], value="agent", label="Role"
        )
        password = gr.Textbox(label="Password, 10 characters or more", type="password", max_length=200)
        with gr.Row():
            add = gr.Button("Add member", variant="primary")
            reset = gr.Button("Set this password")

    @telling
    async def add_member(email: str, name: str, role: str, password: str, request: gr.Request) -> tuple[str, str]:
        member = await sessions.admin(request)
        if role not in set(Role):
            raise InvalidError("There is no such role.")
        added = await office.store.members.add(member.workspace_id, email, name, Role(role), password)
        gr.Info(esc(f"{added.name} can log in now."))
        return members_html(await office.store.members.all(member.workspace_id)), ""

    @telling
    async def set_password(email: str, password: str, request: gr.Request) -> str:
        member = await sessions.admin(request)
        await office.store.members.reset_password(member.workspace_id, email, password)
        gr.Info("The password is set; logins with the old one have ended.")
        return ""

    add.click(add_member, [email, name, role, password], [listing, password], **PRIVATE)
    reset.click(set_password, [email, password], password, **PRIVATE)
    return listing


def _texts(office: Office, sessions: Sessions) -> tuple[gr.HTML, gr.Dropdown]:
    gr.HTML('<p class="dh-section">Canned replies</p>', apply_default_css=False)
    listing = gr.HTML(apply_default_css=False)
    with gr.Accordion("Save or remove a canned reply", open=False):
        title = gr.Textbox(label="Title", max_length=200, info="The same title again replaces its text.")
        text = gr.Textbox(label="Text", lines=4, max_length=5000)
        save = gr.Button("Save", variant="primary")
        chosen = gr.Dropdown([], label="Remove")
        remove = gr.Button("Remove it")

    async def shown(member: Member) -> tuple[str, Any]:
        canned = await office.store.workspaces.canned(member.workspace_id)
        return canned_html(canned), _titles(canned)

    @telling
    async def keep(title: str, text: str, request: gr.Request) -> tuple[Any, ...]:
        member = await sessions.admin(request)
        await office.store.workspaces.add_canned(member.workspace_id, title, text)
        return "", "", *await shown(member)

    @telling
    async def forget(reply_id: str | None, request: gr.Request) -> tuple[Any, ...]:
        member = await sessions.admin(request)
        await office.store.workspaces.remove_canned(member.workspace_id, reply_id or "")
        return await shown(member)

    save.click(keep, [title, text], [title, text, listing, chosen], **PRIVATE)
    remove.click(forget, chosen, [listing, chosen], **PRIVATE)
    return listing, chosen


def _titles(canned: Sequence[CannedReply]) -> gr.Dropdown:
    return gr.Dropdown(choices=[(reply.title, reply.id) for reply in canned], value=None)
