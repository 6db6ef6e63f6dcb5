"""The page header: the product, the workspace, who is logged in."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import gradio as gr

from storage.errors import NotFoundError
from storage.records import Member, Role
from workbench.context import WorkbenchContext
from workbench.ui.handlers import PRIVATE_EVENT, error_boundary
from workbench.ui.html import esc

_HERE = Path(__file__).parent


def build_header(
    blocks: gr.Blocks, context: WorkbenchContext, members_of: Callable[[gr.Request], Awaitable[Sequence[Member]]]
) -> None:
    """The component, filled when the page loads.

    `members_of`: the person behind a request in each of their workspaces, the active one first.
    """
    header = gr.HTML(
        header_html((), {}),
        js_on_load=(_HERE / "header.js").read_text(encoding="utf-8"),
        apply_default_css=False,
        elem_id="dh-top",
    )

    @error_boundary
    async def refresh(request: gr.Request) -> str:
        memberships = await members_of(request)
        return header_html(
            memberships,
            {membership.workspace_id: await _workspace_name(context, membership) for membership in memberships},
        )

    blocks.load(refresh, None, header, **PRIVATE_EVENT)


async def _workspace_name(context: WorkbenchContext, member: Member) -> str:
    try:
        return (await context.store.accounts.workspaces.read(member.workspace_id)).name
    except NotFoundError:
        return member.workspace_id


def header_html(memberships: Sequence[Member], names: dict[str, str]) -> str:
    """The bar for a person; `memberships` are their members, the active one first."""
    brand = '<span class="dh-brand"><span class="dh-mark" aria-hidden="true"></span>Deskhand</span>'
    if not memberships:
        return f'<div class="dh-top">{brand}</div>'
    active = memberships[0]
    role = "Admin" if active.role is Role.ADMIN else "Agent"
    return (
        f'<div class="dh-top">{brand}<span class="dh-top-right">{_workspace_switch(memberships, names)}'
        f'<span class="dh-me" title="{esc(active.email)}, {role.lower()}"><b>{esc(active.name)}</b></span>'
        '<button type="button" class="dh-button quiet" data-do="theme" title="Light or dark" '
        'aria-label="Light or dark">◐</button>'
        '<a class="dh-button quiet" href="password">Password</a>'
        '<form method="post" action="logout"><button class="dh-button quiet" data-do="logout">Log out</button></form>'
        "</span></div>"
    )


def _workspace_switch(memberships: Sequence[Member], names: dict[str, str]) -> str:
    if len(memberships) == 1:
        return f'<span class="dh-workspace">{esc(names[memberships[0].workspace_id])}</span>'
    options = "".join(
        f'<option value="{esc(membership.id)}">{esc(names[membership.workspace_id])}</option>'
        for membership in memberships
    )
    return (
        '<form method="post" action="switch"><select class="dh-select" name="member" aria-label="Workspace" '
        f'data-do="switch">{options}</select></form>'
    )
