"""The Channels tab: how Slack, Discord and the web chat are, and who and where people are there; for admins."""

from pathlib import Path
from typing import Any

import gradio as gr

from storage.records import Member
from storage.records.labels import CHANNEL_NAMES
from workbench.auth.sessions import Sessions
from workbench.channels.actions import Change, apply_change
from workbench.channels.status_view import setup_guides, states_html
from workbench.channels.view import choices_html, people_html, places_html, teams_html
from workbench.context import WorkbenchContext
from workbench.ui.partials import RefreshRequest, changed_parts
from workbench.ui.scripts import bundle_scripts
from workbench.ui.server_functions import Notice, action_function, refresh_function

_PAGE = Path(__file__).parent / "channels.html"


def build_channels(context: WorkbenchContext, sessions: Sessions) -> None:
    """A still skeleton whose script asks for changes while the page is open, so that nothing typed is lost."""

    async def view(admin: Member, asked: RefreshRequest) -> dict[str, Any]:
        return changed_parts(await parts(context, admin), asked.seen)

    async def act(admin: Member, change: Change) -> Notice:
        return await apply_change(context, admin, change)

    with gr.Column(elem_classes="dh-page"):
        gr.HTML(
            html_template=_PAGE.read_text(encoding="utf-8"),
            js_on_load=bundle_scripts("ui/live", "channels/channels"),
            server_functions=[
                refresh_function(sessions.admin, RefreshRequest, view),
                action_function(sessions.admin, Change, act),
            ],
            apply_default_css=False,
            elem_id="dh-channels-root",
        )


async def parts(context: WorkbenchContext, admin: Member) -> dict[str, str]:
    """Everything on the page that may change, as HTML by the name of its place."""
    store, workspace_id = context.store, admin.workspace_id
    settings = (await store.accounts.workspaces.read(workspace_id)).settings
    modes = {name: settings.mode_of(name) for name in CHANNEL_NAMES}
    discord_is_ours = await context.store.channels.installations.find_workspace("discord") == workspace_id
    return {
        "states": states_html(
            context.channel_states(), setup_guides(context.settings), modes, f"chat?workspace={workspace_id}"
        ),
        "places": places_html(
            await store.channels.places.all(workspace_id),
            context.settings.discord.support_channels if discord_is_ours else (),
        ),
        "people": people_html(await store.channels.identities.all(workspace_id)),
        "teams": teams_html(
            await store.channels.installations.without_secrets(workspace_id),
            may_invite=context.slack_install_link is not None,
        ),
        "choices": choices_html(await store.accounts.members.all(workspace_id)),
    }
